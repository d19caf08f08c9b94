// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "crypto/x509/csr.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"

namespace estia::ca {

/// The names that a request asks for instead of its own; nothing was judged yet.
struct RequestedWish {
  crypto::Name subject{};      ///< empty: the certificate is to have no subject
  crypto::GeneralNames san{};  ///< empty: it is to have no alternative names
};

/// What ChangeSubjectName of the request asks for; nullopt without the attribute. It replaces, it
/// does not merge: what is absent in the attribute is empty here (CSN-7.1-b). Whether it may be
/// granted is for Authorisation to say; nobody may ignore it. Throws Error{malformed,
/// "change_subject.empty" | "change_subject.malformed"}.
[[nodiscard]] std::optional<RequestedWish> changed_names(const crypto::Csr& csr);

}  // namespace estia::ca
