// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "crypto/base/bytes.h"

namespace estia::der {

// The small writer: each function returns a complete TLV, so that code reads like the ASN.1 it
// makes. der::sequence({der::oid("1.2.3"), der::null()})

[[nodiscard]] Bytes tlv(std::uint8_t tag, ByteView value);
/// Tag and length alone, for a value of `length` octets that is written elsewhere.
[[nodiscard]] Bytes header(std::uint8_t tag, std::size_t length);
[[nodiscard]] Bytes sequence(std::initializer_list<ByteView> elements);
[[nodiscard]] Bytes set_of(std::vector<Bytes> elements);  ///< sorted as DER demands
[[nodiscard]] Bytes oid(std::string_view dotted);         ///< throws Error{config, "oid.invalid"}
[[nodiscard]] Bytes null();
[[nodiscard]] Bytes boolean(bool value);
[[nodiscard]] Bytes small_integer(std::uint32_t value);
[[nodiscard]] Bytes integer(
    ByteView big_endian_magnitude);  ///< positive; leading zeros dropped, sign octet added
[[nodiscard]] Bytes octet_string(ByteView value);
[[nodiscard]] Bytes bit_string(ByteView value);  ///< no unused bits

/// A strict reader for structure checks before OpenSSL sees anything: definite minimal lengths
/// only, strings in one piece, depth at most `max_depth`, OIDs at most `max_oid` bytes, exactly one
/// element, no trailing bytes. What an OCTET STRING or BIT STRING holds is not looked into. Throws
/// Error{malformed, "der.malformed"}.
void check_structure(ByteView der, unsigned max_depth = 32, std::size_t max_oid = 64);

/// One TLV at the front of `input`, which is advanced past it. Throws Error{malformed,
/// "der.malformed"}.
struct Element {
  std::uint8_t tag = 0;
  ByteView value;  ///< without header
  ByteView whole;  ///< with header
};
[[nodiscard]] Element read(ByteView& input);

}  // namespace estia::der
