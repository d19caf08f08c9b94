// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"

namespace estia::crypto {

// A private key that leaves the token encrypted for somebody's RSA key: under an AES-256 content
// key that the token made for this one key, and that the token itself encrypts by RSAES-OAEP. No
// process ever has what opens it.

/// By which the content key encrypts the private key.
enum class TokenCipher {
  aes256_cbc,       ///< with PKCS #7 padding
  aes256_wrap_pad,  ///< AES key wrap with padding (RFC 5649)
};

/// What a token was seen to do of it.
struct TokenEncryption {
  std::vector<std::string> oaep_digests{};  ///< one for label and mask; OpenSSL's names
  std::vector<TokenCipher> ciphers{};       ///< the one that more clients know first
  [[nodiscard]] bool possible() const noexcept { return !oaep_digests.empty() && !ciphers.empty(); }
};

/// Who can open it, and by what; of what the token does.
struct TokenRecipient {
  PublicKey key;  ///< RSA
  std::string oaep_digest;
  TokenCipher cipher;
};

/// What the token gave. Under aes256_wrap_pad, up to seven octets of zero may follow the
/// PrivateKeyInfo (RFC 5208) inside: SoftHSM puts them there.
struct TokenEncryptedKey {
  Bytes content_key;  ///< encrypted
  Bytes iv;           ///< empty for aes256_wrap_pad
  Bytes content;      ///< the PrivateKeyInfo, encrypted
};

}  // namespace estia::crypto
