// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/keys/private_key.h"

namespace estia::test {

/// PKCS#8 as OpenSSL writes it, of a software key.
[[nodiscard]] inline Bytes usual_pkcs8(const crypto::PrivateKey& key) {
  const Secret pem = key.to_pem();
  const std::string_view text = pem.text();
  const std::size_t begin = text.find('\n');
  return base64_decode(text.substr(begin, text.rfind("-----END") - begin));
}

/// The key, as OpenSSL reads it.
[[nodiscard]] inline crypto::PrivateKey from_pkcs8(ByteView pkcs8) {
  return crypto::PrivateKey::from_pem(Secret(
      "-----BEGIN PRIVATE KEY-----\n" + base64_encode(pkcs8, 64) + "-----END PRIVATE KEY-----\n"));
}

}  // namespace estia::test
