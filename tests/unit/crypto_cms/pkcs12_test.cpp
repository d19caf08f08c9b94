// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/pkcs12.h"

#include <gtest/gtest.h>
#include <openssl/pkcs12.h>

#include "tests/unit/crypto_cms/key_package_fixture.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kPassword = "Gruß 7-kitten";

Certificate certificate_of(const PrivateKey& key) {
  const Issuer root = make_root();
  return signed_certificate(leaf_contents(root, key.public_key()), root.key);
}

Bytes packed(const PrivateKey& key, const Certificate& certificate) {
  return pkcs12(shroud_key(pkcs8_of(key), Secret(kPassword)), certificate);
}

/// `openssl pkcs12 OPTIONS` on the message, with a password file.
Bytes read_by_openssl(const Desk& desk, const Bytes& message, std::string_view password,
                      const std::string& options) {
  return desk.output_of("pkcs12 -in " + desk.put("key.p12", message) + " -passin file:" +
                        desk.put("password", std::string(password) + "\n") + " " + options);
}

TEST(Pkcs12, OpensslFindsKeyAndCertificate) {
  const Desk desk;
  for (const char* kind : {"P-256", "P-521", "RSA-2048", "Ed25519"}) {
    const PrivateKey key = test::software_key(kind);
    const Certificate certificate = certificate_of(key);
    const Bytes message = packed(key, certificate);
    const Bytes pem = read_by_openssl(desk, message, kPassword, "-nodes -nocerts");
    ASSERT_FALSE(pem.empty()) << kind << desk.report();
    EXPECT_EQ(
        to_hex(desk.output_of("pkey -in " + desk.put("key.pem", pem) + " -pubout -outform DER")),
        to_hex(key.public_key().spki()));
    const Bytes certificates = read_by_openssl(desk, message, kPassword, "-nokeys -clcerts");
    EXPECT_NE(as_text(certificates).find(certificate.to_pem()), std::string_view::npos)
        << desk.report();
  }
}

TEST(Pkcs12, AWrongPasswordDoesNotOpenIt) {
  const Desk desk;
  const PrivateKey key = test::software_key("P-256");
  const Bytes message = packed(key, certificate_of(key));
  EXPECT_TRUE(read_by_openssl(desk, message, "wrong", "-nodes").empty());
  // Neither without the MAC, which has a key of its own.
  EXPECT_TRUE(read_by_openssl(desk, message, "wrong", "-nodes -nomacver").empty());
}

TEST(Pkcs12, AChangedByteDoesNotPassTheMac) {
  const Desk desk;
  const PrivateKey key = test::software_key("P-256");
  const Certificate certificate = certificate_of(key);
  Bytes message = packed(key, certificate);
  ASSERT_FALSE(read_by_openssl(desk, message, kPassword, "-nokeys").empty()) << desk.report();
  const auto found = std::ranges::search(message, certificate.der());
  ASSERT_FALSE(found.empty());
  found.back() ^= 1U;
  EXPECT_TRUE(read_by_openssl(desk, message, kPassword, "-nokeys").empty());
}

TEST(Pkcs12, OpensslWritesTheSameDer) {
  const PrivateKey key = test::software_key("P-256");
  const Bytes message = packed(key, certificate_of(key));
  EXPECT_NO_THROW(der::check_structure(message));
  const unsigned char* at = message.data();
  const Owned<PKCS12, PKCS12_free> read(
      ::d2i_PKCS12(nullptr, &at, static_cast<long>(message.size())));
  ASSERT_NE(read, nullptr);
  unsigned char* out = nullptr;
  const int size = ::i2d_PKCS12(read.get(), &out);
  const OpenSslPtr<unsigned char> owned(out);
  EXPECT_EQ(to_hex({out, static_cast<std::size_t>(size)}), to_hex(message));
}

TEST(Pkcs12, NeverWithoutAPassword) {
  const PrivateKey key = test::software_key("P-256");
  const Certificate certificate = certificate_of(key);
  EXPECT_EQ(test::refusal([&] { static_cast<void>(shroud_key(pkcs8_of(key), Secret())); }),
            "internal pkcs12.password");
}

TEST(Pkcs12, LeavesNothingInTheSecureHeap) {
  const PrivateKey key = test::software_key("P-256");
  const Certificate certificate = certificate_of(key);
  const SecureBytes pkcs8 = pkcs8_of(key);
  const std::size_t before = ::CRYPTO_secure_used();
  static_cast<void>(pkcs12(shroud_key(pkcs8, Secret(kPassword)), certificate));
  EXPECT_EQ(::CRYPTO_secure_used(), before);
}

}  // namespace
}  // namespace estia::crypto
