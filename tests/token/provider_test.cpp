// SPDX-License-Identifier: Apache-2.0
// What OpenSSL sees of a token key, and what it must not see.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "tests/token/openssl_objects.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

std::string provider_of(const EVP_PKEY* key) {
  return ::OSSL_PROVIDER_get0_name(::EVP_PKEY_get0_provider(key));
}

class Provider : public ShimTest {
 protected:
  crypto::PrivateKey make(const std::string& kind) {
    return token_->generate(spec(kind), "key " + kind);
  }
  std::shared_ptr<Token> token_ = open_shim();
};

TEST_F(Provider, KeysAreOfTheUsualTypesAndSizes) {
  for (const auto& [kind, type, id] :
       {std::tuple("P-256", "EC", EVP_PKEY_EC), std::tuple("P-384", "EC", EVP_PKEY_EC),
        std::tuple("RSA-2048", "RSA", EVP_PKEY_RSA),
        std::tuple("Ed25519", "ED25519", EVP_PKEY_ED25519)}) {
    const crypto::PrivateKey key = make(kind);
    EVP_PKEY* evp = key.evp();
    EXPECT_EQ(provider_of(evp), "estia-hsm");
    EXPECT_EQ(::EVP_PKEY_is_a(evp, type), 1) << kind;
    EXPECT_STREQ(::EVP_PKEY_get0_type_name(evp), type);
    EXPECT_EQ(::EVP_PKEY_get_base_id(evp), id);
    EVP_PKEY* half = key.public_key().evp();
    EXPECT_EQ(::EVP_PKEY_get_bits(evp), ::EVP_PKEY_get_bits(half));
    EXPECT_EQ(::EVP_PKEY_get_size(evp), ::EVP_PKEY_get_size(half));
    EXPECT_EQ(::EVP_PKEY_get_security_bits(evp), ::EVP_PKEY_get_security_bits(half));
    EXPECT_EQ(::EVP_PKEY_eq(evp, half), 1);
    EXPECT_EQ(::EVP_PKEY_eq(half, evp), 1);
    EXPECT_EQ(crypto::PublicKey::of(evp), key.public_key());
  }
}

TEST_F(Provider, DifferentKeysAreNotEqual) {
  const crypto::PrivateKey one = token_->generate(spec("P-256"), "one");
  const crypto::PrivateKey two = token_->generate(spec("P-256"), "two");
  EXPECT_NE(::EVP_PKEY_eq(one.evp(), two.evp()), 1);
  EXPECT_NE(::EVP_PKEY_eq(one.evp(), two.public_key().evp()), 1);
  EXPECT_NE(::EVP_PKEY_eq(two.public_key().evp(), one.evp()), 1);
}

// Peers' keys and software keys must never meet our provider, whichever was loaded first.
TEST_F(Provider, EverythingElseStaysWithOpenSslsOwn) {
  const crypto::PrivateKey token_key = make("P-256");
  for (const char* name : {"EC", "RSA", "ED25519"}) {
    EVP_KEYMGMT* found = ::EVP_KEYMGMT_fetch(crypto::library(), name, nullptr);
    ASSERT_NE(found, nullptr);
    EXPECT_STREQ(::OSSL_PROVIDER_get0_name(::EVP_KEYMGMT_get0_provider(found)), "default") << name;
    ::EVP_KEYMGMT_free(found);
  }
  for (const char* name : {"ECDSA", "RSA", "ED25519"}) {
    EVP_SIGNATURE* found = ::EVP_SIGNATURE_fetch(crypto::library(), name, nullptr);
    ASSERT_NE(found, nullptr);
    EXPECT_STREQ(::OSSL_PROVIDER_get0_name(::EVP_SIGNATURE_get0_provider(found)), "default");
    ::EVP_SIGNATURE_free(found);
  }
  for (const char* kind : {"P-256", "RSA-2048", "Ed25519"}) {
    const auto software = crypto::PrivateKey::generate_software(spec(kind));
    EXPECT_EQ(provider_of(software.evp()), "default");
    EXPECT_TRUE(signs(software));
    EXPECT_EQ(provider_of(crypto::PrivateKey::from_pem(software.to_pem()).evp()), "default");
    EXPECT_EQ(provider_of(crypto::PublicKey::from_spki(software.public_key().spki()).evp()),
              "default");
  }
  EXPECT_EQ(provider_of(token_key.public_key().evp()), "default");
}

TEST_F(Provider, PrivateKeyLeavesNoWay) {
  for (const char* kind : {"P-256", "RSA-2048", "Ed25519"}) {
    const crypto::PrivateKey key = make(kind);
    OSSL_PARAM* parameters = nullptr;
    EXPECT_NE(::EVP_PKEY_todata(key.evp(), EVP_PKEY_KEYPAIR, &parameters), 1);
    ::OSSL_PARAM_free(parameters);
    unsigned char* der = nullptr;
    EXPECT_LE(::i2d_PrivateKey(key.evp(), &der), 0);
    BIGNUM* number = nullptr;
    EXPECT_NE(::EVP_PKEY_get_bn_param(key.evp(), OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
    EXPECT_NE(::EVP_PKEY_get_bn_param(key.evp(), OSSL_PKEY_PARAM_RSA_D, &number), 1);
    std::size_t size = 0;
    EXPECT_NE(
        ::EVP_PKEY_get_octet_string_param(key.evp(), OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0, &size),
        1);
  }
}

TEST_F(Provider, KeysSignAndDoNothingElse) {
  const crypto::PrivateKey rsa = make("RSA-2048");
  const crypto::EvpPkeyCtxPtr context(
      ::EVP_PKEY_CTX_new_from_pkey(crypto::library(), rsa.evp(), nullptr));
  EXPECT_NE(::EVP_PKEY_decrypt_init(context.get()), 1);
  const crypto::PrivateKey ec = make("P-256");
  const crypto::EvpPkeyCtxPtr derive(
      ::EVP_PKEY_CTX_new_from_pkey(crypto::library(), ec.evp(), nullptr));
  EXPECT_NE(::EVP_PKEY_derive_init(derive.get()), 1);
  const crypto::X509Ptr certificate = self_signed(ec, ::EVP_sha256());
  EXPECT_EQ(::X509_verify(certificate.get(), ec.public_key().evp()), 1);
}

TEST_F(Provider, WeakDigestsAreRefused) {
  const crypto::PrivateKey key = make("P-256");
  for (const char* digest : {"SHA1", "MD5", "SHA2-224"}) {
    const crypto::EvpMdCtxPtr context(::EVP_MD_CTX_new());
    EXPECT_NE(::EVP_DigestSignInit_ex(context.get(), nullptr, digest, crypto::library(), nullptr,
                                      key.evp(), nullptr),
              1)
        << digest;
  }
  EXPECT_EQ(refusal([&] { static_cast<void>(self_signed(key, ::EVP_sha1())); }),
            "internal token.signature_unsupported");
}

TEST_F(Provider, ErrorsOfTheTokenComeThroughOpenSsl) {
  const crypto::PrivateKey key = make("P-256");
  shim_.fail("C_Sign", CKR_FUNCTION_CANCELED);
  EXPECT_EQ(refusal([&] { static_cast<void>(self_signed(key, ::EVP_sha256())); }),
            "token token.failed");
  EXPECT_NO_THROW(static_cast<void>(self_signed(key, ::EVP_sha256())));
}

TEST_F(Provider, ForgedKeyParametersMakeNoKey) {
  const crypto::PrivateKey key = make("P-256");  // the provider is in
  const crypto::EvpPkeyCtxPtr context(
      ::EVP_PKEY_CTX_new_from_name(crypto::library(), "EC", "provider=estia-hsm"));
  ASSERT_EQ(::EVP_PKEY_fromdata_init(context.get()), 1);
  char group[] = "P-256";
  OSSL_PARAM foreign[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                          OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  EXPECT_NE(::EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, foreign), 1);
  EXPECT_EQ(made, nullptr);
}

class Pss : public Provider {
 protected:
  /// Signs with PSS and that salt, and lets OpenSSL's own code verify it.
  static bool round_trip(const crypto::PrivateKey& key, const char* digest, int salt) {
    const Bytes message = {1, 2, 3, 4};
    const crypto::EvpMdCtxPtr signer(::EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;
    std::size_t size = static_cast<std::size_t>(::EVP_PKEY_get_size(key.evp()));
    Bytes signature(size);
    if (::EVP_DigestSignInit_ex(signer.get(), &context, digest, crypto::library(), nullptr,
                                key.evp(), nullptr) != 1 ||
        ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
        ::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) != 1 ||
        ::EVP_DigestSign(signer.get(), signature.data(), &size, message.data(), message.size()) !=
            1) {
      return false;
    }
    const crypto::EvpMdCtxPtr verifier(::EVP_MD_CTX_new());
    return ::EVP_DigestVerifyInit_ex(verifier.get(), &context, digest, crypto::library(), nullptr,
                                     key.public_key().evp(), nullptr) == 1 &&
           ::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           ::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1 &&
           ::EVP_DigestVerify(verifier.get(), signature.data(), size, message.data(),
                              message.size()) == 1;
  }
};

TEST_F(Pss, EachDigestAndSalt) {
  const crypto::PrivateKey key = make("RSA-2048");
  for (const char* digest : {"SHA2-256", "SHA2-384", "SHA2-512"}) {
    for (const int salt : {RSA_PSS_SALTLEN_DIGEST, 20, RSA_PSS_SALTLEN_MAX}) {
      EXPECT_TRUE(round_trip(key, digest, salt)) << digest << " " << salt;
    }
  }
}

TEST_F(Pss, ImpossibleSaltIsRefused) {
  EXPECT_FALSE(round_trip(make("RSA-2048"), "SHA2-256", 400));
}

TEST_F(Pss, CertificateCarriesItsParameters) {
  const crypto::PrivateKey key = make("RSA-2048");
  const crypto::X509Ptr certificate = self_signed(key, ::EVP_sha256());
  const crypto::EvpMdCtxPtr signer(::EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  ASSERT_EQ(::EVP_DigestSignInit_ex(signer.get(), &context, "SHA2-256", crypto::library(), nullptr,
                                    key.evp(), nullptr),
            1);
  ASSERT_EQ(::EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
  ASSERT_EQ(::EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), 1);
  ASSERT_GT(::X509_sign_ctx(certificate.get(), signer.get()), 0);
  EXPECT_EQ(::X509_get_signature_nid(certificate.get()), NID_rsassaPss);
  EXPECT_EQ(::X509_verify(certificate.get(), key.public_key().evp()), 1);
}

}  // namespace
}  // namespace estia::hsm
