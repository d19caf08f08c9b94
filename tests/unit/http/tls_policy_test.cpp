// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

#include "crypto/openssl/library.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

class TlsPolicy : public ServerTest {
 protected:
  TlsPolicy() { start(); }

  /// "version suite", or "refused".
  std::string connect(const test::TlsOffer& offer) {
    try {
      test::TlsClient client(port(), offer);
      client.send(get_request("/hello"));
      static_cast<void>(client.read_answer());
      return std::string(::SSL_get_version(client.ssl())) + " " +
             ::SSL_get_cipher_name(client.ssl());
    } catch (const std::runtime_error&) {
      return "refused";
    }
  }
};

TEST_F(TlsPolicy, Speaks12And13Only) {  // EST-3.3-b
  EXPECT_EQ(connect({.version = TLS1_VERSION}), "refused");
  EXPECT_EQ(connect({.version = TLS1_1_VERSION}), "refused");
  EXPECT_TRUE(connect({.version = TLS1_2_VERSION}).starts_with("TLSv1.2 ECDHE-ECDSA-"));
  EXPECT_TRUE(connect({.version = TLS1_3_VERSION}).starts_with("TLSv1.3 TLS_"));
}

TEST_F(TlsPolicy, EcdheWithAeadOnly) {  // EST-6-a
  for (const char* suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                            "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    EXPECT_EQ(connect({.version = TLS1_2_VERSION, .ciphers = suite}),
              std::string("TLSv1.2 ") + suite);
  }
  for (const char* suite :
       {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM",
        "DHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256", "AES128-SHA", "ADH-AES128-GCM-SHA256",
        "AECDH-AES128-SHA", "ECDHE-ECDSA-NULL-SHA", "PSK-AES128-GCM-SHA256"}) {
    EXPECT_EQ(connect({.version = TLS1_2_VERSION, .ciphers = suite}), "refused") << suite;
  }
}

TEST_F(TlsPolicy, FourGroups) {
  for (const char* group : {"X25519", "P-256", "P-384", "P-521"}) {
    EXPECT_NE(connect({.groups = group}), "refused") << group;
  }
  for (const char* group : {"X448", "ffdhe2048"}) {
    EXPECT_EQ(connect({.groups = group}), "refused") << group;
  }
}

TEST_F(TlsPolicy, NothingCanBeResumed) {  // D14
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    test::TlsClient first(port(), {.version = version});
    first.send(get_request("/hello"));
    EXPECT_EQ(first.read_answer().status, 200);
    SSL_SESSION* session = ::SSL_get_session(first.ssl());
    EXPECT_EQ(::SSL_SESSION_has_ticket(session), 0);
    unsigned size = 0;
    static_cast<void>(::SSL_SESSION_get_id(session, &size));
    if (version == TLS1_3_VERSION) {
      EXPECT_EQ(::SSL_SESSION_is_resumable(session), 0);
      continue;
    }
    test::TlsClient second(port(), {.version = version, .session = session});
    second.send(get_request("/hello"));
    EXPECT_EQ(second.read_answer().status, 200);
    EXPECT_EQ(::SSL_session_reused(second.ssl()), 0);
  }
}

TEST_F(TlsPolicy, RenegotiationIsRefused) {  // TLS-9325-a
  test::TlsClient client(port(), {.version = TLS1_2_VERSION});
  EXPECT_EQ(SSL_get_secure_renegotiation_support(client.ssl()), 1);
  EXPECT_EQ(SSL_get_extms_support(client.ssl()), 1);
  EXPECT_EQ(::SSL_renegotiate(client.ssl()), 1);
  EXPECT_NE(::SSL_do_handshake(client.ssl()), 1);
}

TEST_F(TlsPolicy, ChoosesHttp11OfWhatIsOffered) {
  const auto chosen = [&](const std::vector<std::string>& offered) {
    const test::TlsClient client(port(), {.alpn = offered});
    const unsigned char* name = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(client.ssl(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  };
  EXPECT_EQ(chosen({"h2", "http/1.1"}), "http/1.1");  // cest, curl
  EXPECT_EQ(chosen({"h2"}), "");
  EXPECT_EQ(chosen({}), "");
}

TEST_F(TlsPolicy, SendsItsChainAndNoCaNames) {  // docs/clients.md
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto identity = test::make_tls_identity("CN=device");
    test::TlsClient client(port(), {.version = version, .identity = &identity});
    const STACK_OF(X509)* chain = ::SSL_get_peer_cert_chain(client.ssl());
    ASSERT_EQ(sk_X509_num(chain), 2);
    EXPECT_EQ(crypto::Certificate::from_openssl(sk_X509_value(chain, 0)),
              server_identity().chain[0]);
    EXPECT_EQ(crypto::Certificate::from_openssl(sk_X509_value(chain, 1)),
              server_identity().chain[1]);
    const STACK_OF(X509_NAME)* names = ::SSL_get0_peer_CA_list(client.ssl());
    EXPECT_LE(names == nullptr ? 0 : sk_X509_NAME_num(names), 0);
  }
}

/// Sets the flag behind `seen` when a change_cipher_spec record comes in.
void watch_records(int is_write, int /*version*/, int type, const void* data, std::size_t size,
                   SSL* /*ssl*/, void* seen) {
  if (is_write == 0 && type == SSL3_RT_HEADER && size > 0 &&
      *static_cast<const unsigned char*>(data) == SSL3_RT_CHANGE_CIPHER_SPEC) {
    *static_cast<bool*>(seen) = true;
  }
}

TEST_F(TlsPolicy, Tls13LooksLike12ToMiddleboxes) {  // RFC 8446 D.4
  const crypto::SslCtxPtr context(
      ::SSL_CTX_new_ex(crypto::library(), nullptr, ::TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  const crypto::SslPtr ssl(::SSL_new(context.get()));
  bool seen = false;
  ::SSL_set_msg_callback(ssl.get(), watch_records);
  SSL_set_msg_callback_arg(ssl.get(), &seen);
  const int descriptor = test::connect_to(port());
  ASSERT_EQ(::SSL_set_fd(ssl.get(), descriptor), 1);
  EXPECT_EQ(::SSL_connect(ssl.get()), 1);
  EXPECT_TRUE(seen);
  ::close(descriptor);
}

TEST(TlsIdentityCheck, KeyAndCertificateMustGoTogether) {
  TlsIdentity wrong = server_identity();
  wrong.chain = test::make_tls_identity("CN=other").chain;
  EXPECT_THROW(Server({}, wrong, std::make_shared<TestRouter>()), Error);
  wrong.chain.clear();
  EXPECT_THROW(Server({}, wrong, std::make_shared<TestRouter>()), Error);
}

}  // namespace
}  // namespace estia::http
