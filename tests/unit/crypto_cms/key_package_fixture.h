// SPDX-License-Identifier: Apache-2.0
// What the tests of key packages share: keys as PKCS#8, signers, the openssl command as the reader.
#pragma once

#include <gtest/gtest.h>
#include <openssl/cms.h>

#include <filesystem>
#include <string>

#include "crypto/base/der.h"
#include "crypto/base/file.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"
#include "tests/support/openssl_command.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {

using CmsPtr = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;

[[nodiscard]] inline SecureBytes secure(ByteView bytes) {
  open_secure_heap(1U << 20U);
  SecureBytes copy(bytes.size());
  std::ranges::copy(bytes, copy.span().begin());
  return copy;
}

[[nodiscard]] inline Bytes plain(const SecureBytes& bytes) {
  return {bytes.view().begin(), bytes.view().end()};
}

/// PrivateKeyInfo as OpenSSL writes it.
[[nodiscard]] inline SecureBytes pkcs8_of(const PrivateKey& key) {
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      require(::EVP_PKEY2PKCS8(key.evp()), "EVP_PKEY2PKCS8"));
  unsigned char* out = nullptr;
  const int size = ::i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out);
  require(size > 0 ? 1 : 0, "i2d_PKCS8_PRIV_KEY_INFO");
  const OpenSslPtr<unsigned char> owned(out);
  return secure({out, static_cast<std::size_t>(size)});
}

/// A self-signed certificate of this kind of key.
[[nodiscard]] inline Issuer signer_of(const std::string& kind) {
  const PrivateKey key = test::software_key(kind);
  return {key, signed_certificate(ca_contents("Signer " + kind, key.public_key(), -1), key)};
}

[[nodiscard]] inline Bytes content_info(ByteView signed_data) {
  return der::sequence({der::oid("1.2.840.113549.1.7.2"), der::tlv(0xA0, signed_data)});
}

/// What OpenSSL's CMS makes of the bytes when it reads and writes them.
[[nodiscard]] inline Bytes written_again(const Bytes& der) {
  const unsigned char* at = der.data();
  const CmsPtr cms(
      require(::d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())), "d2i"));
  EXPECT_EQ(at, der.data() + der.size());
  unsigned char* out = nullptr;
  const int size = ::i2d_CMS_ContentInfo(cms.get(), &out);
  require(size > 0 ? 1 : 0, "i2d_CMS_ContentInfo");
  const OpenSslPtr<unsigned char> owned(out);
  return {out, out + size};
}

/// A folder of files for one conversation with the openssl command.
class Desk final {
 public:
  std::string put(const std::string& name, std::string_view text) const {
    const auto path = scratch_.path() / name;
    std::filesystem::remove(path);
    write_new_file(path, text, FileMode::secret);
    return path.string();
  }
  std::string put(const std::string& name, ByteView bytes) const {
    return put(name, as_text(bytes));
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (scratch_.path() / name).string();
  }
  [[nodiscard]] Bytes get(const std::string& name) const {
    const std::string text = read_file(path(name), 1U << 20U);
    return {text.begin(), text.end()};
  }
  /// Empty when the command fails.
  [[nodiscard]] Bytes output_of(const std::string& command) const {
    std::filesystem::remove(path("out"));
    const auto result = test::openssl_command(command + " -out " + path("out"));
    report_ = result.output;
    return result.status == 0 ? get("out") : Bytes();
  }
  [[nodiscard]] const std::string& report() const noexcept { return report_; }

 private:
  test::ScratchDirectory scratch_;
  mutable std::string report_;
};

/// The content of a SignedData that verifies with this certificate at kNow; empty otherwise.
[[nodiscard]] inline Bytes verified_content(const Desk& desk, const Bytes& signed_data,
                                            const Certificate& signer) {
  desk.put("signer.pem", signer.to_pem());
  return desk.output_of("cms -verify -binary -purpose any -attime 1790000000 -inform DER -in " +
                        desk.put("signed.der", content_info(signed_data)) + " -CAfile " +
                        desk.path("signer.pem"));
}

}  // namespace estia::crypto
