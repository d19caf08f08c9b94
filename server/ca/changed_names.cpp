// SPDX-License-Identifier: Apache-2.0
#include "server/ca/changed_names.h"

#include <utility>

#include "crypto/est/change_subject_name.h"

namespace estia::ca {

std::optional<RequestedWish> changed_names(const crypto::Csr& csr) {
  std::optional<crypto::ChangeSubjectName> change = crypto::change_subject_name(csr);
  if (!change) {
    return std::nullopt;
  }
  return RequestedWish{std::move(change->subject).value_or(crypto::Name()),
                       std::move(change->san).value_or(crypto::GeneralNames())};
}

}  // namespace estia::ca
