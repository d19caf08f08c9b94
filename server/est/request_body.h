// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/x509/csr.h"
#include "server/ca/authorisation.h"

namespace estia::est {

/// The DER inside the body of an enrolment request: base64 on one line or wrapped, with LF or CRLF
/// (CLAR-3-a, CLAR-3.1-a), or the same inside the armour of a PEM certificate request, which some
/// clients send as it lies on their disk (docs/clients.md). The armour must begin the body and end
/// it. Content-Transfer-Encoding plays no part (CLAR-3-b). Throws Error{malformed,
/// "base64.invalid"}, "body.empty", "body.armour".
[[nodiscard]] Bytes decode_request_body(std::string_view body);

/// The request in it, with its proof of possession verified (EST-4.2.1-b); not for serverkeygen,
/// where the key is nobody's (EST-4.4.1-a). Also throws what Csr::parse and Csr::verify_signature
/// throw.
[[nodiscard]] crypto::Csr csr_in(std::string_view body, ca::Operation operation);

}  // namespace estia::est
