// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/chain_verifier.h"

#include <gtest/gtest.h>

#include "crypto/openssl/library.h"
#include "tests/unit/crypto_x509/certificate_forge.h"

namespace estia::crypto {
namespace {

class ChainVerifier : public ::testing::Test {
 protected:
  const Issuer root = make_root();
  const Issuer sub = make_sub_ca(root, "Issuing");
  const PrivateKey key = test::software_key("P-256");

  CertificateContents contents() const { return leaf_contents(sub, key.public_key()); }
  Certificate leaf() const { return signed_certificate(contents(), sub.key); }

  /// Against the root, with the issuing CA sent along.
  ChainOutcome verify(const Certificate& certificate, Instant at = kNow) const {
    return verify_client_chain(certificate, {sub.certificate}, {root.certificate}, at);
  }
  void expect_refused(const Certificate& certificate) const {
    const ChainOutcome outcome = verify(certificate);
    EXPECT_FALSE(outcome.trusted);
    EXPECT_TRUE(outcome.chain.empty());
    EXPECT_FALSE(outcome.reason.empty());
  }
};

TEST_F(ChainVerifier, BuildsTheChainLeafFirst) {
  const ChainOutcome outcome = verify(leaf());
  ASSERT_TRUE(outcome.trusted) << outcome.reason;
  ASSERT_EQ(outcome.chain.size(), 3U);
  EXPECT_EQ(outcome.chain[0].subject().text(), "CN=leaf");
  EXPECT_EQ(outcome.chain[1], sub.certificate);
  EXPECT_EQ(outcome.chain[2], root.certificate);
}

TEST_F(ChainVerifier, TheChainIsMadeOfTheCertificatesGiven) {
  const Certificate own = leaf();
  const ChainOutcome outcome = verify(own);
  ASSERT_EQ(outcome.chain.size(), 3U);
  EXPECT_EQ(outcome.chain[0].openssl(), own.openssl());
  EXPECT_EQ(&outcome.chain[0].der(), &own.der()) << "shared, not read again";
  EXPECT_EQ(&outcome.chain[1].der(), &sub.certificate.der());
  EXPECT_EQ(&outcome.chain[2].der(), &root.certificate.der());
}

TEST_F(ChainVerifier, AnIntermediateMayBeTheAnchor) {
  const ChainOutcome outcome = verify_client_chain(leaf(), {}, {sub.certificate}, kNow);
  ASSERT_TRUE(outcome.trusted) << outcome.reason;
  ASSERT_EQ(outcome.chain.size(), 2U);
  EXPECT_EQ(outcome.chain.back(), sub.certificate);
}

TEST_F(ChainVerifier, WithoutAnchorsNothingIsTrusted) {
  EXPECT_FALSE(verify_client_chain(leaf(), {sub.certificate, root.certificate}, {}, kNow).trusted);
}

TEST_F(ChainVerifier, WhatThePeerSendsIsNoAnchor) {
  const Issuer other = make_root("Other");
  EXPECT_FALSE(
      verify_client_chain(leaf(), {sub.certificate, root.certificate}, {other.certificate}, kNow)
          .trusted);
}

TEST_F(ChainVerifier, AMissingIntermediateBreaksTheChain) {
  EXPECT_FALSE(verify_client_chain(leaf(), {}, {root.certificate}, kNow).trusted);
}

TEST_F(ChainVerifier, ARootOfTheSameNameIsAnotherRoot) {
  const Issuer impostor = make_root();
  ASSERT_EQ(impostor.certificate.subject(), root.certificate.subject());
  EXPECT_FALSE(
      verify_client_chain(leaf(), {sub.certificate}, {impostor.certificate}, kNow).trusted);
}

TEST_F(ChainVerifier, TimesAreCheckedAtTheGivenInstant_X509_4_1_2_5_a) {
  using std::chrono::seconds;
  const Certificate certificate = leaf();
  EXPECT_TRUE(verify(certificate, certificate.not_before()).trusted);
  // OpenSSL counts the very last second out, which is stricter than RFC 5280.
  EXPECT_TRUE(verify(certificate, certificate.not_after() - seconds(1)).trusted);
  EXPECT_FALSE(verify(certificate, certificate.not_before() - seconds(1)).trusted);
  EXPECT_FALSE(verify(certificate, certificate.not_after() + seconds(1)).trusted);
}

TEST_F(ChainVerifier, ALeafCannotIssue) {
  const Certificate middle = leaf();
  const Issuer fake{key, middle};
  const PrivateKey victim = new_key();
  const Certificate forged = signed_certificate(leaf_contents(fake, victim.public_key()), fake.key);
  EXPECT_FALSE(
      verify_client_chain(forged, {middle, sub.certificate}, {root.certificate}, kNow).trusted);
}

TEST_F(ChainVerifier, ThePathLengthIsKept) {
  const Issuer tight = make_root("Tight", 0);
  const Issuer below = make_sub_ca(tight, "Below");
  const Certificate certificate =
      signed_certificate(leaf_contents(below, key.public_key()), below.key);
  EXPECT_FALSE(
      verify_client_chain(certificate, {below.certificate}, {tight.certificate}, kNow).trusted);
}

TEST_F(ChainVerifier, AServerCertificateIsNoClientCertificate) {
  CertificateContents server = contents();
  server.extensions.back() = extended_key_usage({std::string(oid::kServerAuth)});
  expect_refused(signed_certificate(server, sub.key));
}

TEST_F(ChainVerifier, AnUnknownCriticalExtensionIsRefused) {
  CertificateContents critical = contents();
  critical.extensions.push_back({"1.2.3.4", true, {0x05, 0x00}});
  expect_refused(signed_certificate(critical, sub.key));
}

TEST_F(ChainVerifier, AWrongSignatureIsRefused) {
  CertificateContents claimed = contents();
  expect_refused(signed_certificate(claimed, new_key()));
}

TEST_F(ChainVerifier, ASelfSignedStrangerIsRefused) {
  const PrivateKey own = new_key();
  expect_refused(signed_certificate(ca_contents("Stranger", own.public_key(), -1), own));
}

TEST_F(ChainVerifier, AShortRsaKeyIsRefused) {
  EvpPkeyPtr made(::EVP_PKEY_Q_keygen(library(), nullptr, "RSA", std::size_t{1024}));
  ASSERT_NE(made, nullptr);
  expect_refused(signed_certificate(leaf_contents(sub, PublicKey::of(made.get())), sub.key));
}

TEST_F(ChainVerifier, ABrokenPurposeIsRefused) {
  CertificateContents broken = contents();
  broken.extensions.back() = {std::string(oid::kExtendedKeyUsage), false, {0x04, 0x00}};
  expect_refused(signed_certificate(broken, sub.key));
}

}  // namespace
}  // namespace estia::crypto
