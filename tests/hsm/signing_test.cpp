// SPDX-License-Identifier: Apache-2.0
// Every kind of CA key signs, by itself and in what a CA makes with it.
#include <openssl/rsa.h>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/crl.h"
#include "tests/hsm/suite.h"
#include "tests/support/crl_forge.h"

namespace estia::hsm {
namespace {

constexpr Instant kFrom{std::chrono::seconds{1'700'000'000}};
constexpr Instant kUntil{kFrom + std::chrono::hours{24}};

class Signatures : public Suite {
 protected:
  /// With every digest that the product uses: the CA's own, and those of TLS.
  void signs_with(const std::string& kind) {
    need(kind, [&] {
      const crypto::PrivateKey key = make(kind);
      auto algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
      for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}}) {
        expect_signature(key, Bytes(size, 0x5A), algorithm);
      }
      if (kind == "Ed25519") {
        return;  // hashes by itself
      }
      for (const char* digest : {"SHA2-256", "SHA2-384", "SHA2-512"}) {
        algorithm.digest = digest;
        expect_signature(key, Bytes(100, 0xA5), algorithm);
      }
    });
  }

  static void expect_signature(const crypto::PrivateKey& key, const Bytes& message,
                               const crypto::SignatureAlgorithm& algorithm) {
    const Bytes signature = told([&] { return key.sign(message, algorithm); });
    EXPECT_TRUE(key.public_key().verify(message, signature, algorithm))
        << algorithm.digest << ", " << message.size() << " bytes";
    Bytes changed = message;
    changed.push_back(0);
    EXPECT_FALSE(key.public_key().verify(changed, signature, algorithm)) << algorithm.digest;
  }

  /// The kinds of this module, one of each family.
  [[nodiscard]] std::vector<std::string> families() const {
    std::vector<std::string> kinds;
    for (const char* kind : {"P-256", "P-384", "RSA-2048", "Ed25519"}) {
      if (can(kind)) {
        kinds.emplace_back(kind);
      }
    }
    return kinds;
  }
};

TEST_P(Signatures, P256) {
  signs_with("P-256");
}
TEST_P(Signatures, P384) {
  signs_with("P-384");
}
TEST_P(Signatures, P521) {
  signs_with("P-521");
}
TEST_P(Signatures, Rsa2048) {
  signs_with("RSA-2048");
}
TEST_P(Signatures, Rsa3072) {
  signs_with("RSA-3072");
}
TEST_P(Signatures, Rsa4096) {
  signs_with("RSA-4096");
}
TEST_P(Signatures, Ed25519) {
  signs_with("Ed25519");
}

TEST_P(Signatures, RsaPss) {
  need(native() ? "pss" : "pss-by-provider", [&] {
    const crypto::PrivateKey key = make("RSA-2048");
    const Bytes message(100, 0x5A);
    for (const char* digest : {"SHA2-256", "SHA2-384", "SHA2-512"}) {
      // As TLS 1.3 does it: a salt as long as the digest (RFC 8446 4.2.3).
      const crypto::EvpMdCtxPtr signer(::EVP_MD_CTX_new());
      EVP_PKEY_CTX* context = nullptr;
      std::size_t size = static_cast<std::size_t>(::EVP_PKEY_get_size(key.evp()));
      Bytes signature(size);
      crypto::clear_pending_error();
      crypto::require(::EVP_DigestSignInit_ex(signer.get(), &context, digest, crypto::library(),
                                              nullptr, key.evp(), nullptr),
                      "EVP_DigestSignInit_ex");
      crypto::require(::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), "padding");
      crypto::require(::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), "salt");
      if (::EVP_DigestSign(signer.get(), signature.data(), &size, message.data(), message.size()) !=
          1) {
        told([] { crypto::rethrow_pending_error(); });
        FAIL() << digest;
      }
      const crypto::EvpMdCtxPtr verifier(::EVP_MD_CTX_new());
      crypto::require(::EVP_DigestVerifyInit_ex(verifier.get(), &context, digest, crypto::library(),
                                                nullptr, key.public_key().evp(), nullptr),
                      "EVP_DigestVerifyInit_ex");
      crypto::require(::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), "padding");
      crypto::require(::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), "salt");
      EXPECT_EQ(::EVP_DigestVerify(verifier.get(), signature.data(), size, message.data(),
                                   message.size()),
                1)
          << digest;
    }
  });
}

/// By the functions that the Issuer calls.
TEST_P(Signatures, Certificates) {
  ASSERT_FALSE(families().empty());
  for (const std::string& kind : families()) {
    const crypto::PrivateKey key = make(kind);
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
    const auto name = crypto::Name::from_text("CN=Conformance CA");
    const Bytes tbs =
        crypto::build_tbs({.serial = {0x01},
                           .issuer = name,
                           .subject = name,
                           .not_before = kFrom,
                           .not_after = kUntil,
                           .public_key = key.public_key(),
                           .extensions = {crypto::basic_constraints_ca(0),
                                          crypto::key_usage({"keyCertSign", "cRLSign"})}},
                          algorithm);
    const auto made = crypto::assemble_certificate(tbs, algorithm,
                                                   told([&] { return key.sign(tbs, algorithm); }));
    EXPECT_TRUE(made.parsed().signed_by(key.public_key())) << kind;
  }
}

TEST_P(Signatures, Crls) {
  ASSERT_FALSE(families().empty());
  for (const std::string& kind : families()) {
    if (kind == "Ed25519") {
      continue;  // OpenSSL wants no digest there; Certificates has it
    }
    const crypto::PrivateKey key = make(kind);
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
    const Bytes der = test::make_crl(key, {.issuer = crypto::Name::from_text("CN=Conformance CA"),
                                           .revoked = {{0x01}, {0x02}},
                                           .this_update = kFrom,
                                           .next_update = kUntil,
                                           .digest = algorithm.digest.c_str()});
    const crypto::Crl crl = crypto::Crl::parse(der);
    EXPECT_TRUE(crl.signed_by(key.public_key())) << kind;
    EXPECT_EQ(crl.size(), 2U);
  }
}

ESTIA_EVERY_CELL(Signatures);

}  // namespace
}  // namespace estia::hsm
