// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <optional>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

class Peer : public ServerTest {
 protected:
  Peer() {
    router_->get("/peer", [this](const Request& request) {
      seen_ = request.peer;
      return text("seen");
    });
    start();
  }

  /// What a handler sees of a client; the answer has been read, so the handler is done.
  PeerInfo seen_by_handler(const test::TlsOffer& offer, Bytes* binding = nullptr) {
    test::TlsClient client(port(), offer);
    client.send(get_request("/peer"));
    EXPECT_EQ(client.read_answer().status, 200);
    if (binding != nullptr) {
      *binding = client.channel_binding();
    }
    return seen_;
  }

  PeerInfo seen_;
};

TEST_F(Peer, WithoutCertificate) {  // EST-3.3.2-b
  const PeerInfo peer = seen_by_handler({.version = TLS1_3_VERSION});
  EXPECT_TRUE(peer.chain.empty());
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_EQ(peer.tls_version, "TLSv1.3");
}

TEST_F(Peer, CertificatesAreHandedOnUnjudged) {
  const TlsIdentity ca = test::make_tls_identity("CN=nobody's CA");
  const TlsIdentity untrusted = test::make_tls_identity("CN=device", std::chrono::hours(1), &ca);
  const TlsIdentity expired = test::make_tls_identity("CN=old", std::chrono::hours(-1), &ca);
  const TlsIdentity self_signed = test::make_tls_identity("CN=self");
  for (const TlsIdentity* identity : {&untrusted, &expired, &self_signed}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const PeerInfo peer = seen_by_handler({.version = version, .identity = identity});
      EXPECT_EQ(peer.chain, identity->chain);
    }
  }
}

TEST_F(Peer, BindingIsWhatTheClientComputes) {  // TLSX-5929-a, TLSX-9266-a
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Bytes expected;
    const PeerInfo peer = seen_by_handler({.version = version}, &expected);
    EXPECT_EQ(peer.channel_binding, expected);
    EXPECT_EQ(expected.size(), version == TLS1_2_VERSION ? 12U : 32U);
  }
}

TEST_F(Peer, NoTlsUniqueWithoutExtendedMasterSecret) {  // TLSX-5929-d
  const PeerInfo peer =
      seen_by_handler({.version = TLS1_2_VERSION, .extended_master_secret = false});
  EXPECT_EQ(peer.channel_binding, std::nullopt);
  EXPECT_EQ(peer.tls_version, "TLSv1.2");
}

TEST_F(Peer, AClientCannotUseACertificateWithoutItsKey) {
  const TlsIdentity owner = test::make_tls_identity("CN=owner");
  const TlsIdentity thief = test::make_tls_identity("CN=thief");
  const TlsIdentity stolen{thief.key, owner.chain};
  EXPECT_ANY_THROW(static_cast<void>(seen_by_handler({.identity = &stolen})));
}

/// The limit was set and then raised again by another line.
/// RSA-2048 with an exponent of 129 bits.
crypto::PrivateKey key_with_large_exponent() {
  BIGNUM* exponent = nullptr;
  EXPECT_GT(::BN_hex2bn(&exponent, "100000000000000000000000000000033"), 0);
  const crypto::EvpPkeyCtxPtr context(::EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(::EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(::EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  EXPECT_EQ(::EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent), 1);
  EXPECT_EQ(::EVP_PKEY_generate(context.get(), &made), 1);
  ::BN_free(exponent);
  const crypto::EvpPkeyPtr owned(made);
  BIO* const memory = ::BIO_new(::BIO_s_mem());
  EXPECT_EQ(::PEM_write_bio_PrivateKey(memory, made, nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  const Secret pem(std::string_view(text, static_cast<std::size_t>(size)));
  ::BIO_free(memory);
  return crypto::PrivateKey::from_pem(pem);
}

/// Found as a hole: verifying one signature could be made to cost six times as much.
TEST_F(Peer, AKeyThatIsDearToVerifyEndsTheHandshake) {
  const TlsIdentity dear =
      test::make_tls_identity(key_with_large_exponent(), "CN=dear", std::chrono::hours(1), nullptr);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_THROW(static_cast<void>(seen_by_handler({.version = version, .identity = &dear})),
                 std::runtime_error);
  }
}

TEST_F(Peer, AClientsCertificatesHaveALimitTogether) {
  constexpr std::size_t kLimit = 32U << 10U;
  const TlsIdentity one = test::make_tls_identity("CN=device");
  const std::size_t each = one.chain.front().der().size();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto identity_of_size = [&](std::size_t size) {
      return TlsIdentity{one.key,
                         std::vector<crypto::Certificate>(size / (each + 8), one.chain.front())};
    };
    const TlsIdentity most = identity_of_size(kLimit - 1000);
    const TlsIdentity more = identity_of_size(kLimit * 5 / 4);
    EXPECT_EQ(seen_by_handler({.version = version, .identity = &most}).chain.at(0), most.chain[0]);
    EXPECT_ANY_THROW(static_cast<void>(seen_by_handler({.version = version, .identity = &more})));
  }
}

}  // namespace
}  // namespace estia::http
