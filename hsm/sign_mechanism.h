// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>
#include <p11-kit/pkcs11.h>

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"

namespace estia::hsm {

/// A hash that signatures may use, with its names in every language spoken here. SHA-1 and shorter
/// ones are not in the table: a token key never signs them.
struct SignDigest {
  std::string_view name;  ///< OpenSSL's
  std::size_t size;       ///< bytes
  std::string_view oid;
  std::string_view ecdsa_oid;  ///< ecdsa-with-...
  std::string_view rsa_oid;    ///< ...WithRSAEncryption
  CK_MECHANISM_TYPE hash;
  CK_ULONG mgf;

  /// nullptr for a hash that is not in the table; knows OpenSSL's aliases ("SHA256").
  [[nodiscard]] static const SignDigest* find(std::string_view name);
  /// OpenSSL's implementation in crypto::library(); lives until the process ends.
  [[nodiscard]] const EVP_MD* md() const;
};

/// DigestInfo of PKCS #1, which CKM_RSA_PKCS signs.
[[nodiscard]] Bytes digest_info(const SignDigest& digest, ByteView hash);

// AlgorithmIdentifiers as certificates carry them.
[[nodiscard]] Bytes ecdsa_identifier(const SignDigest& digest);
[[nodiscard]] Bytes rsa_pkcs1_identifier(const SignDigest& digest);
[[nodiscard]] Bytes rsa_pss_identifier(const SignDigest& digest, unsigned salt);
[[nodiscard]] Bytes ed25519_identifier();

/// What C_SignInit gets. Copying would leave the pointer behind, so it is made where it is used.
class SignMechanism final {
 public:
  explicit SignMechanism(CK_MECHANISM_TYPE type) noexcept;
  SignMechanism(const SignDigest& pss_digest, unsigned salt) noexcept;
  SignMechanism(const SignMechanism&) = delete;
  SignMechanism& operator=(const SignMechanism&) = delete;
  SignMechanism(SignMechanism&&) = delete;
  SignMechanism& operator=(SignMechanism&&) = delete;
  ~SignMechanism() = default;

  [[nodiscard]] CK_MECHANISM* get() noexcept { return &mechanism_; }

 private:
  CK_RSA_PKCS_PSS_PARAMS pss_{};
  CK_MECHANISM mechanism_{};
};

/// Tells OpenSSL, which signs or verifies in that context, what the mechanism is. False for one
/// that it does not know.
[[nodiscard]] bool set_padding(EVP_PKEY_CTX* context, const CK_MECHANISM& mechanism);

}  // namespace estia::hsm
