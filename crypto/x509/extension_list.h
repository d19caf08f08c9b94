// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/x509/extension.h"

namespace estia::crypto {

/// Extensions ::= SEQUENCE OF Extension, from the whole TLV. At most 64, no OID twice (X509-4.2-a).
/// Throws Error{malformed, "extension.malformed"}.
[[nodiscard]] std::vector<Extension> parse_extensions(ByteView der);
/// The other way round: the whole TLV.
[[nodiscard]] Bytes encode_extensions(const std::vector<Extension>& extensions);
/// The dotted form of the content octets of an OBJECT IDENTIFIER.
[[nodiscard]] std::string dotted_oid(ByteView content);

}  // namespace estia::crypto
