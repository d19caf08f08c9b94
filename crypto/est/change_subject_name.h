// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "crypto/base/bytes.h"
#include "crypto/x509/csr.h"
#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"

namespace estia::crypto {

/// The names a client wants instead of those it has (RFC 6402 2.8). At least one is there; what is
/// absent is to be left out of the certificate (CSN-7.1-b).
struct ChangeSubjectName {
  std::optional<Name> subject{};
  std::optional<GeneralNames> san{};
};

/// One value of the attribute, in both forms: subjectAlt tagged [1] (RFC 10002 7.1), and the two
/// plain SEQUENCEs of RFC 6402, told apart by their first inner tag (CSN-7.1-a). Strict DER. Throws
/// Error{malformed, "change_subject.empty"} when neither is there, Error{malformed,
/// "change_subject.malformed"}.
[[nodiscard]] ChangeSubjectName parse_change_subject_name(ByteView der);

/// What the request's attribute asks for; nullopt without one. Throws like
/// parse_change_subject_name.
[[nodiscard]] std::optional<ChangeSubjectName> change_subject_name(const Csr& csr);

}  // namespace estia::crypto
