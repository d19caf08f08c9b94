// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/oaep.h"

#include <algorithm>

#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "crypto/keys/digest.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

/// target ^= MGF1(seed), RFC 8017 B.2.1. Neither is longer than an RSA modulus, so that one octet
/// of the counter changes.
void mask(std::span<std::uint8_t> target, ByteView seed, std::string_view digest_name) {
  for (std::uint8_t counter = 0; !target.empty(); ++counter) {
    const Bytes octets{0, 0, 0, counter};
    Bytes block = digest(digest_name, {seed, octets});
    const std::size_t used = std::min(block.size(), target.size());
    for (std::size_t i = 0; i < used; ++i) {
      target[i] = static_cast<std::uint8_t>(target[i] ^ block[i]);
    }
    cleanse(block);
    target = target.subspan(used);
  }
}

}  // namespace

SecureBytes oaep_encoded(const SecureBytes& message, std::string_view digest_name,
                         std::size_t size) {
  const Bytes label = digest(digest_name, {});
  require(message.size() + 2 * label.size() + 2 <= size ? 1 : 0, "OAEP message length");
  // EM = 0x00 || seed || DB, DB = label || 0x00... || 0x01 || message, both masked
  SecureBytes encoded(size);
  const auto seed = encoded.span().subspan(1, label.size());
  const auto block = encoded.span().subspan(1 + label.size());
  random_fill(seed);
  std::ranges::copy(label, block.begin());
  block[block.size() - message.size() - 1] = 0x01;
  std::ranges::copy(message.view(), block.end() - static_cast<std::ptrdiff_t>(message.size()));
  mask(block, seed, digest_name);
  mask(seed, block, digest_name);
  return encoded;
}

}  // namespace estia::crypto
