// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/key_recipient.h"

#include <gtest/gtest.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

#include "tests/support/refusal.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

constexpr const char* kNoCommon = "malformed serverkeygen.no_common_algorithm";

const KeyTransport kOaep256 = known_key_transports()[0];
const KeyTransport kOaep512 = known_key_transports()[2];
const KeyTransport kRsaEncryption = known_key_transports()[3];
const std::vector<KeyWrap>& kWraps = known_key_wraps();
const std::vector<ContentCipher>& kCiphers = known_content_ciphers();

KeyAgreement agreement(std::size_t scheme, std::size_t wrap) {
  return {known_key_agreement_schemes()[scheme], kWraps[wrap]};
}

SmimeCapabilities everything() {
  SmimeCapabilities all;
  all.key_wraps = kWraps;
  all.key_transports = known_key_transports();
  for (const KeyAgreementScheme& scheme : known_key_agreement_schemes()) {
    for (const KeyWrap& wrap : kWraps) {
      all.key_agreements.push_back({scheme, wrap});
    }
  }
  return all;
}

KeyRecipient secret_key(std::size_t size, const SmimeCapabilities& capabilities) {
  return secret_key_recipient(Bytes{7}, Secret(Bytes(size, 0xAB)), capabilities);
}

/// Without keyUsage when `usage` is empty.
Certificate certificate_of(const std::string& kind, const KeyUsageNames& usage = {}) {
  const Issuer root = make_root();
  const PublicKey key = test::software_key(kind).public_key();
  CertificateContents contents = leaf_contents(root, key);
  std::erase_if(contents.extensions,
                [](const Extension& extension) { return extension.oid == oid::kKeyUsage; });
  if (!usage.empty()) {
    contents.extensions.push_back(key_usage(usage));
  }
  return signed_certificate(contents, root.key);
}

KeyRecipient recipient(const Certificate& certificate, const SmimeCapabilities& capabilities) {
  return certificate_recipient(certificate.subject_key_identifier(), certificate, capabilities);
}

template <class Action>
std::string refusal_of(Action&& action) {
  return test::refusal([&] { static_cast<void>(action()); });
}

TEST(SecretKeyRecipient, TheKeyDecidesTheWrapAndTheCipher_EST_4_4_2_f) {
  for (const std::size_t size : {16U, 24U, 32U}) {
    const KeyRecipient chosen = secret_key(size, everything());
    EXPECT_EQ(chosen.identifier, Bytes{7});
    EXPECT_EQ(chosen.cipher.bits, size * 8);
    const auto& method = std::get<KeyRecipient::SecretKey>(chosen.method);
    EXPECT_EQ(method.wrap.bits, size * 8);
    EXPECT_EQ(method.key.size(), size);
  }
}

TEST(SecretKeyRecipient, TheClientsOrderCounts_EST_4_4_1_e) {
  const auto wrap_of = [](const SmimeCapabilities& capabilities) {
    return std::get<KeyRecipient::SecretKey>(secret_key(32, capabilities).method).wrap.cipher;
  };
  EXPECT_EQ(wrap_of({.key_wraps = {kWraps[0], kWraps[5], kWraps[2]}}), "AES-256-WRAP-PAD");
  EXPECT_EQ(wrap_of({.key_wraps = {kWraps[2], kWraps[5]}}), "AES-256-WRAP");
}

TEST(SecretKeyRecipient, NoWrapOfThatSizeIsARefusal_EST_4_4_1_d) {
  SmimeCapabilities others = everything();
  others.key_wraps.clear();
  EXPECT_EQ(refusal_of([&] { return secret_key(16, others); }), kNoCommon);
  EXPECT_EQ(refusal_of([] {
              return secret_key(16, {.key_wraps = {kWraps[1], kWraps[2]}});
            }),
            kNoCommon);
}

TEST(SecretKeyRecipient, OtherSizesAreNoAesKeys) {
  for (const std::size_t size : {0U, 8U, 15U, 17U, 31U, 33U, 64U}) {
    EXPECT_EQ(refusal_of([&] { return secret_key(size, everything()); }),
              "config serverkeygen.secret_key");
  }
}

TEST(CertificateRecipient, RsaByOaepInTheClientsOrder_EST_4_4_1_e) {
  const Certificate certificate = certificate_of("RSA-2048");
  const auto digest_of = [&](const std::vector<KeyTransport>& transports) {
    const KeyRecipient chosen = recipient(certificate, {.key_transports = transports});
    EXPECT_EQ(chosen.identifier, certificate.subject_key_identifier());
    return std::get<KeyRecipient::Transport>(chosen.method).algorithm.digest;
  };
  EXPECT_EQ(digest_of({kOaep256, kOaep512}), "SHA2-256");
  EXPECT_EQ(digest_of({kRsaEncryption, kOaep512, kOaep256}), "SHA2-512");
}

TEST(CertificateRecipient, Pkcs1IsNeverUsed) {
  const Certificate certificate = certificate_of("RSA-2048");
  EXPECT_EQ(
      refusal_of([&] { return recipient(certificate, {.key_transports = {kRsaEncryption}}); }),
      kNoCommon);
}

TEST(CertificateRecipient, AgreementAsStrongAsTheKey_EST_4_4_2_f) {
  const auto wrap_of = [](const char* kind, const std::vector<KeyAgreement>& agreements) {
    const KeyRecipient chosen = recipient(certificate_of(kind), {.key_agreements = agreements});
    return std::get<KeyRecipient::Agreement>(chosen.method).algorithm.wrap.bits;
  };
  const std::vector<KeyAgreement> rising{agreement(0, 0), agreement(1, 1), agreement(2, 2)};
  EXPECT_EQ(wrap_of("P-256", rising), 128U);
  EXPECT_EQ(wrap_of("P-384", rising), 192U);
  EXPECT_EQ(wrap_of("P-521", rising), 256U);
  EXPECT_EQ(wrap_of("P-256", {agreement(0, 2), agreement(0, 0)}), 256U) << "the client's order";
  EXPECT_EQ(wrap_of("P-521", {agreement(0, 0), agreement(0, 1)}), 192U) << "the strongest it has";
}

TEST(CertificateRecipient, ContentAsStrongAsTheKey_EST_4_4_2_f) {
  const auto bits_of = [](const char* kind, const std::vector<ContentCipher>& ciphers) {
    SmimeCapabilities capabilities = everything();
    capabilities.content_ciphers = ciphers;
    return recipient(certificate_of(kind), capabilities).cipher.bits;
  };
  EXPECT_EQ(bits_of("P-256", {}), 128U);
  EXPECT_EQ(bits_of("P-384", {}), 192U);
  EXPECT_EQ(bits_of("P-521", {}), 256U);
  EXPECT_EQ(bits_of("RSA-2048", {}), 128U);
  EXPECT_EQ(bits_of("RSA-4096", {}), 192U);
  EXPECT_EQ(bits_of("P-256", {kCiphers[2], kCiphers[0]}), 256U) << "the client's order";
  EXPECT_EQ(bits_of("P-384", {kCiphers[0], kCiphers[2]}), 256U) << "the first as strong";
  EXPECT_EQ(bits_of("P-521", {kCiphers[0], kCiphers[1]}), 192U) << "the strongest it has";
}

/// Found by a hostile client: it got a message that it could not open, and a certificate with it.
TEST(SecretKeyRecipient, WhoListsOnlyOtherContentCiphersGetsNone_EST_4_4_1_d) {
  SmimeCapabilities capabilities{.key_wraps = {kWraps[2]}, .other_content_ciphers = true};
  EXPECT_EQ(refusal_of([&] { return secret_key(32, capabilities); }), kNoCommon);
  capabilities.content_ciphers = {kCiphers[0]};
  EXPECT_EQ(secret_key(32, capabilities).cipher.cipher, "AES-128-CBC");
  EXPECT_EQ(secret_key(32, {.key_wraps = {kWraps[2]}}).cipher.cipher, "AES-256-CBC");
}

TEST(CertificateRecipient, NoCommonAlgorithmIsARefusal_EST_4_4_1_d) {
  SmimeCapabilities no_transport = everything();
  no_transport.key_transports.clear();
  SmimeCapabilities no_agreement = everything();
  no_agreement.key_agreements.clear();
  for (const auto& [kind, capabilities] :
       {std::pair{"RSA-2048", no_transport}, std::pair{"P-256", no_agreement},
        std::pair{"Ed25519", everything()}, std::pair{"P-256", SmimeCapabilities{}}}) {
    const Certificate certificate = certificate_of(kind);
    EXPECT_EQ(refusal_of([&] { return recipient(certificate, capabilities); }), kNoCommon) << kind;
  }
}

TEST(CertificateRecipient, TheCertificateAllowsIt_EST_4_4_1_2_a) {
  const auto with = [](const char* kind, const KeyUsageNames& usage) {
    const Certificate certificate = certificate_of(kind, usage);
    return refusal_of([&] { return recipient(certificate, everything()); });
  };
  constexpr const char* kRefused = "malformed serverkeygen.key_usage";
  EXPECT_EQ(with("RSA-2048", {}), "none");
  EXPECT_EQ(with("RSA-2048", {"digitalSignature", "keyEncipherment"}), "none");
  EXPECT_EQ(with("RSA-2048", {"digitalSignature", "dataEncipherment"}), kRefused);
  EXPECT_EQ(with("RSA-2048", {"keyAgreement"}), kRefused);
  EXPECT_EQ(with("P-256", {}), "none");
  EXPECT_EQ(with("P-256", {"keyAgreement"}), "none");
  EXPECT_EQ(with("P-256", {"keyAgreement", "decipherOnly"}), "none");
  EXPECT_EQ(with("P-256", {"keyAgreement", "encipherOnly"}), kRefused);
  EXPECT_EQ(with("P-256", {"digitalSignature"}), kRefused);
  EXPECT_EQ(with("P-256", {"keyEncipherment"}), kRefused);
}

TEST(CertificateRecipient, IsCheckedBeforeAnybodyAsks) {
  const auto checked = [](const Certificate& certificate) {
    return test::refusal([&] { check_recipient(certificate); });
  };
  EXPECT_EQ(checked(certificate_of("RSA-2048")), "none");
  EXPECT_EQ(checked(certificate_of("P-521", {"keyAgreement"})), "none");
  EXPECT_EQ(checked(certificate_of("Ed25519")), kNoCommon);
  EXPECT_EQ(checked(certificate_of("P-256", {"digitalSignature"})),
            "malformed serverkeygen.key_usage");
}

TEST(CertificateRecipient, OnlyTheKeyThatWasNamed_EST_4_4_1_2_a) {
  const Certificate certificate = certificate_of("P-256");
  Bytes other = certificate.subject_key_identifier();
  other.back() ^= 1U;
  for (const Bytes& identifier : {other, Bytes{}, Bytes(other.begin(), other.end() - 1)}) {
    EXPECT_EQ(
        refusal_of([&] { return certificate_recipient(identifier, certificate, everything()); }),
        "malformed serverkeygen.unknown_key");
  }
}

TEST(CertificateRecipient, AnEmptyIdentifierDoesNotNameACertificateWithoutOne) {
  const Issuer root = make_root();
  CertificateContents contents = leaf_contents(root, test::software_key("P-256").public_key());
  contents.extensions.clear();
  const Certificate certificate = signed_certificate(contents, root.key);
  EXPECT_EQ(refusal_of([&] { return certificate_recipient({}, certificate, everything()); }),
            "malformed serverkeygen.unknown_key");
}

/// RSA-2048 with the public exponent 2^80 + 1, or the next one that its primes allow.
PublicKey key_with_long_exponent() {
  const BignumPtr exponent(require(::BN_new(), "BN_new"));
  require(::BN_set_bit(exponent.get(), 80), "BN_set_bit");
  require(::BN_set_bit(exponent.get(), 0), "BN_set_bit");
  const EvpPkeyCtxPtr context(
      require(::EVP_PKEY_CTX_new_from_name(library(), "RSA", nullptr), "context"));
  require(::EVP_PKEY_keygen_init(context.get()), "init");
  require(::EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), "bits");
  require(::EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()), "exponent");
  EVP_PKEY* made = nullptr;
  require(::EVP_PKEY_generate(context.get(), &made), "EVP_PKEY_generate");
  const EvpPkeyPtr key(made);
  unsigned char* out = nullptr;
  const int size = ::i2d_PUBKEY(key.get(), &out);
  const OpenSslPtr<unsigned char> owned(out);
  return PublicKey::from_spki({out, static_cast<std::size_t>(size)});
}

/// Found in review: OpenSSL and tokens fail on them when a key was made already.
TEST(CertificateRecipient, AnRsaExponentThatNobodyTakesIsRefusedBeforehand) {
  const Issuer root = make_root();
  const PublicKey key = key_with_long_exponent();
  CertificateContents contents = leaf_contents(root, key);
  std::erase_if(contents.extensions,
                [](const Extension& extension) { return extension.oid == oid::kKeyUsage; });
  const Certificate certificate = signed_certificate(contents, root.key);
  EXPECT_EQ(refusal_of([&] { return recipient(certificate, everything()); }), kNoCommon);
  EXPECT_EQ(test::refusal([&] { check_recipient(certificate); }), kNoCommon);
}

}  // namespace
}  // namespace estia::crypto
