// SPDX-License-Identifier: Apache-2.0
// TLS sessions that are taken up again, where the operator wants that (RFC 7030 3.3, D14).
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <thread>

#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

struct FreeSession {
  void operator()(SSL_SESSION* session) const noexcept { ::SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

class ResumptionTest : public ServerTest {
 protected:
  ResumptionTest() {
    config_.resumption = Resumption::on;
    router_->get("/who", [](const Request& request) {
      std::string names;
      for (const crypto::Certificate& certificate : request.peer.chain) {
        names += certificate.subject().text() + ";";
      }
      return text(names + (request.peer.channel_binding ? " bound" : ""));
    });
  }

  /// One request, and the session to take up.
  [[nodiscard]] std::pair<std::string, Session> visit(const test::TlsOffer& offer) const {
    test::TlsClient client(port(), offer);
    client.send(get_request("/who"));
    std::string body = client.read_answer().body;
    reused_ = ::SSL_session_reused(client.ssl()) == 1;
    binding_is_ours_ = body.ends_with(" bound");
    client.end();  // OpenSSL gives up a session whose connection just broke
    return {std::move(body), Session(::SSL_get1_session(client.ssl()))};
  }

  mutable bool reused_ = false;
  mutable bool binding_is_ours_ = false;
};

/// Its certificate has a comment of 20,000 letters.
TlsIdentity large_identity() {
  TlsIdentity identity = test::make_tls_identity("CN=device");
  X509* const large = ::X509_dup(identity.chain.front().openssl());
  const std::string comment(20'000, 'x');
  X509_EXTENSION* const extension =
      ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_netscape_comment, comment.c_str());
  EXPECT_EQ(::X509_add_ext(large, extension, -1), 1);
  EXPECT_GT(::X509_sign(large, identity.key.evp(), ::EVP_sha256()), 0);
  identity.chain = {crypto::Certificate::from_openssl(large)};
  ::X509_EXTENSION_free(extension);
  ::X509_free(large);
  return identity;
}

constexpr std::array kVersions{TLS1_2_VERSION, TLS1_3_VERSION};

/// The chain of the client is there in full each time: whoever gives it rights judges it each time.
TEST_F(ResumptionTest, KeepsTheClientsWholeChain) {
  start();
  const auto root = test::make_tls_identity("CN=root");
  const auto device = test::make_tls_identity("CN=device", std::chrono::hours(24), &root);
  for (const int version : kVersions) {
    SCOPED_TRACE(version);
    const auto [first, session] = visit({.version = version, .identity = &device});
    EXPECT_TRUE(first.starts_with("CN=device;CN=root;")) << first;
    EXPECT_FALSE(reused_);
    const auto [second, next] =
        visit({.version = version, .identity = &device, .session = session.get()});
    EXPECT_TRUE(reused_);
    EXPECT_TRUE(second.starts_with("CN=device;CN=root;")) << second;
    // RFC 5929's tls-unique of a resumed session is another one; RFC 9266's exporter is new.
    EXPECT_EQ(binding_is_ours_, version == TLS1_3_VERSION);
    EXPECT_EQ(::SSL_SESSION_get_max_early_data(session.get()), 0U);
  }
}

TEST_F(ResumptionTest, EndsWhenTheServerForgets) {
  start();
  for (const int version : kVersions) {
    SCOPED_TRACE(version);
    const auto [body, first] = visit({.version = version});
    const auto [again, session] = visit({.version = version, .session = first.get()});
    EXPECT_TRUE(reused_);
    server_->forget_sessions();
    static_cast<void>(visit({.version = version, .session = session.get()}));
    EXPECT_FALSE(reused_);
  }
}

TEST_F(ResumptionTest, EndsWithTheIdentity) {
  start();
  const auto [body, first] = visit({});
  const auto [again, session] = visit({.session = first.get()});
  EXPECT_TRUE(reused_);
  server_->adopt(server_->prepare(server_identity()));
  static_cast<void>(visit({.session = session.get()}));
  EXPECT_FALSE(reused_);
}

/// Found as a hole: each resumption began a new life, so that whoever had a session once could be
/// the certificate's holder for ever.
TEST_F(ResumptionTest, ASessionThatIsTakenUpGetsNoOlder) {
  config_.session_lifetime = std::chrono::seconds(5);
  start();
  for (const int version : kVersions) {
    SCOPED_TRACE(version);
    const auto [first_body, first] = visit({.version = version});
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    const auto [second_body, second] = visit({.version = version, .session = first.get()});
    EXPECT_TRUE(reused_);
    std::this_thread::sleep_for(std::chrono::milliseconds(4000));
    const auto [third_body, third] = visit({.version = version, .session = second.get()});
    EXPECT_FALSE(reused_);
  }
}

/// Found as a hole: the leaf did not count.
TEST_F(ResumptionTest, ALargeCertificateIsNotKeptEither) {
  start();
  const TlsIdentity device = large_identity();
  const auto [first, session] = visit({.version = TLS1_3_VERSION, .identity = &device});
  static_cast<void>(
      visit({.version = TLS1_3_VERSION, .identity = &device, .session = session.get()}));
  EXPECT_FALSE(reused_);
}

/// Strangers would fill the memory with their certificates.
TEST_F(ResumptionTest, ALongChainIsNotKept) {
  start();
  const auto root = test::make_tls_identity("CN=root");
  auto device = test::make_tls_identity("CN=device", std::chrono::hours(24), &root);
  for (int i = 0; i < 30; ++i) {
    device.chain.push_back(test::make_tls_identity("CN=more " + std::to_string(i)).chain.front());
  }
  for (const int version : kVersions) {
    SCOPED_TRACE(version);
    const auto [first, session] = visit({.version = version, .identity = &device});
    static_cast<void>(visit({.version = version, .identity = &device, .session = session.get()}));
    EXPECT_FALSE(reused_);
  }
}

}  // namespace
}  // namespace estia::http
