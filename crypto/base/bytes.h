// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estia {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// The bytes of a text, without copying. The view lives as long as the text.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
/// The same the other way round.
[[nodiscard]] inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Compares without stopping at the first difference. Lengths may leak, contents do not.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b) noexcept;

/// Lower-case hexadecimal, no separators.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// Accepts upper and lower case. Throws Error{malformed, "hex.invalid"} for an odd length or
/// another character.
[[nodiscard]] Bytes from_hex(std::string_view text);

/// RFC 4648 section 4 with padding. `columns` = 0 gives one line without an end; otherwise lines of
/// that length, each ended by LF.
[[nodiscard]] std::string base64_encode(ByteView bytes, std::size_t columns = 0);

/// RFC 4648 section 4 with padding required; CR, LF, space and tab are skipped anywhere
/// (CLAR-3.1-a, RFC 8951 3.1). Everything else outside the alphabet, wrong or missing padding,
/// non-zero trailing bits and an empty input are refused: Error{malformed, "base64.invalid"}
/// (CLAR-3-d).
[[nodiscard]] Bytes base64_decode(std::string_view text);

}  // namespace estia
