// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/x509/general_names.h"
#include "crypto/x509/name.h"
#include "server/ca/model.h"

namespace estia::ca {

/// The names a certificate will carry: what the CSR asks for, as far as the end-entity profile lets
/// it.
struct RequestedNames {
  crypto::Name subject;  ///< re-encoded: PrintableString/UTF8String as X509-4.1.2.4-b says, fixed
                         ///< values put in
  crypto::GeneralNames san;
};

/// `subject` and `san` as they were asked for or registered. Throws Error{malformed, ...}:
/// "enroll.subject_attribute" for one the profile does not list or
/// that is repeated, "enroll.subject_missing" for a required one, "enroll.subject_too_long",
/// "enroll.name_character" for an invisible one, "enroll.san_kind", "enroll.san_count",
/// "enroll.san_wildcard".
[[nodiscard]] RequestedNames requested_names(const EndEntityProfile& profile,
                                             const crypto::Name& subject,
                                             const crypto::GeneralNames& san);

/// Throws Error{forbidden, "enroll.outside_scope"} for a name that the scope does not allow.
void require_inside(const NameScope& scope, const RequestedNames& names);

}  // namespace estia::ca
