// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <climits>

#include "crypto/base/error.h"

namespace estia {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool is_base64_alphabet(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

[[noreturn]] void refuse_base64(const char* why) {
  throw Error(ErrorCode::malformed, "base64.invalid", "the body is not valid base64", why);
}

/// The characters without white space, checked: OpenSSL's decoder would skip or accept too much.
std::string strict_characters(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') {
      continue;
    }
    if (c == '=') {
      ++padding;
    } else if (!is_base64_alphabet(c)) {
      refuse_base64("character outside the alphabet");
    } else if (padding != 0) {
      refuse_base64("data after padding");
    }
    kept.push_back(c);
  }
  if (kept.empty() || kept.size() % 4 != 0 || padding > 2) {
    refuse_base64(kept.empty() ? "empty" : "wrong length or padding");
  }
  return kept;
}

}  // namespace

bool equal_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kHexDigits[byte >> 4U]);
    text.push_back(kHexDigits[byte & 0x0FU]);
  }
  return text;
}

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    if (high < 0 || low < 0) {
      throw Error(ErrorCode::malformed, "hex.invalid", "not hexadecimal");
    }
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

std::string base64_encode(ByteView bytes, std::size_t columns) {
  if (bytes.size() > static_cast<std::size_t>(INT_MAX) / 2) {
    throw Error(ErrorCode::internal, "base64.too_large", "too large to encode");
  }
  std::string line((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int written = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(line.data()), bytes.data(),
                                        static_cast<int>(bytes.size()));
  line.resize(static_cast<std::size_t>(written));
  if (columns == 0) {
    return line;
  }
  std::string wrapped;
  wrapped.reserve(line.size() + line.size() / columns + 1);
  for (std::size_t at = 0; at < line.size(); at += columns) {
    wrapped.append(line, at, columns);
    wrapped.push_back('\n');
  }
  return wrapped;
}

Bytes base64_decode(std::string_view text) {
  const std::string kept = strict_characters(text);
  if (kept.size() > static_cast<std::size_t>(INT_MAX)) {
    refuse_base64("too large");
  }
  Bytes bytes(kept.size() / 4 * 3);
  const int written =
      ::EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(kept.data()),
                        static_cast<int>(kept.size()));
  if (written < 0) {
    refuse_base64("decoder refused");
  }
  const auto padding = static_cast<std::size_t>(
      std::count(kept.end() - std::min<std::ptrdiff_t>(2, std::ssize(kept)), kept.end(), '='));
  bytes.resize(static_cast<std::size_t>(written) - padding);
  // The unused bits before the padding must be zero, or two texts would mean the same bytes.
  if (padding != 0 && base64_encode(bytes) != kept) {
    refuse_base64("non-zero trailing bits");
  }
  return bytes;
}

}  // namespace estia
