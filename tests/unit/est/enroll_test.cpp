// SPDX-License-Identifier: Apache-2.0
#include "server/est/enroll.h"

#include <gtest/gtest.h>

#include "crypto/cms/certs_only.h"
#include "server/auth/password.h"
#include "tests/support/decrypt_keys.h"
#include "tests/support/no_server_keys.h"
#include "tests/unit/est/est_fixture.h"

namespace estia::est {
namespace {

struct SoftwareKeys final : ca::CaKeys {
  void distrust(const ca::CertificationAuthority&) const noexcept override {}
  explicit SoftwareKeys(crypto::PrivateKey key) : key_(std::move(key)) {}
  [[nodiscard]] crypto::PrivateKey key_for(const ca::CertificationAuthority&) const override {
    return key_;
  }
  crypto::PrivateKey key_;
};

/// Refusals only: what succeeds is tested end to end, with the real store and token.
class EnrollTest : public testing::Test {
 protected:
  EnrollTest() {
    snapshot->accounts.push_back({"est", "ra", auth::hash_generated_secret(Secret("right"))});
    request.peer.address = "192.0.2.7";
    request.peer.tls_version = "TLSv1.3";
    request.peer.channel_binding = Bytes(32, 0x5A);
  }
  http::Response answer(ca::Operation operation = ca::Operation::simpleenroll) {
    http::Request complete = request;
    for (const auto& [name, value] : fields) {
      complete.headers.add(name, value);
    }
    return enroll.answer({snapshot, snapshot->find_alias("est")}, operation, complete);
  }
  void body(const Bytes& der) { request.body = base64_encode(der, 64); }

  test::SoftwareCa authority = test::make_software_ca();
  std::shared_ptr<ca::Snapshot> snapshot = make_snapshot(authority);
  UntouchableRegistry registry;
  NoEndEntities entities;
  SystemClock clock;
  SoftwareKeys keys{authority.key};
  ca::Issuer issuer{registry, clock};
  test::NoServerKeys server_keys;
  ca::Enrollment enrollment{issuer, entities, keys, server_keys, clock};
  auth::Authentication authentication{registry, entities, clock};
  KeptEvents events;
  RefusalAudit refusals{events, clock};
  test::NoDecryptKeys decrypt_keys;
  test::OpenSealer sealer;
  KeyDelivery delivery{{authority.key, authority.ca.certificate()}, decrypt_keys, sealer, clock};
  Enroll enroll{authentication, enrollment, delivery, refusals};
  http::Request request;
  std::vector<std::pair<std::string, std::string>> fields{
      {"authorization", "Basic " + base64_encode(as_bytes("ra:right"))},
      {"content-type", "application/pkcs10"}};
};

TEST_F(EnrollTest, A401HasItsChallengeAndKeepsTheConnection_EST_3_2_3_d) {
  fields.clear();
  const http::Response response = answer();
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.headers.find("WWW-Authenticate"), "Basic realm=\"estia\", charset=\"UTF-8\"");
  EXPECT_EQ(response.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(response.body, "") << "Bouncy Castle 1.72 does not go on after one";
  EXPECT_EQ(response.log_id, "auth.required");
  EXPECT_FALSE(response.close);
}

TEST_F(EnrollTest, A403HasNoChallenge_EST_3_2_3_d) {
  fields.clear();
  const http::Response response = answer(ca::Operation::simplereenroll);
  EXPECT_EQ(response.status, 403);
  EXPECT_FALSE(response.headers.find("WWW-Authenticate"));
}

TEST_F(EnrollTest, AMissingOrWrongContentTypeIs415AndSaysWhichOneIsRight_EST_3_2_4_b) {
  body(csr_with({}));
  for (const char* type : {"", "text/plain", "application/pkcs7-mime", "application/pkcs10x"}) {
    fields.resize(1);
    if (*type != '\0') {
      fields.emplace_back("Content-Type", type);
    }
    const http::Response response = answer();
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_EQ(response.headers.find("Accept"), "application/pkcs10");
  }
}

TEST_F(EnrollTest, AuthenticationComesBeforeTheContent) {
  fields = {{"Authorization", "Basic " + base64_encode(as_bytes("ra:wrong"))}};
  request.body = "garbage!";
  EXPECT_EQ(answer().status, 401);
}

TEST_F(EnrollTest, TwoAuthorizationFieldsAre400) {
  fields.emplace_back("AUTHORIZATION", fields.front().second);
  const http::Response response = answer();
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.log_id, "auth.repeated_field");
}

TEST_F(EnrollTest, MalformedRequestsAre400) {
  const Bytes good = csr_with({});
  Bytes trailing = good;
  trailing.push_back(0);
  Bytes cut = good;
  cut.pop_back();
  Bytes forged = good;
  forged.back() ^= 1;
  const Bytes two_values =
      der::sequence({der::oid(kChallengePassword),
                     der::set_of({der::tlv(0x13, as_bytes("a")), der::tlv(0x13, as_bytes("b"))})});
  for (const Bytes& der :
       {trailing, cut, forged, Bytes{}, Bytes{0x30, 0x00}, csr_with({two_values}),
        Bytes{0x30, 0x80, 0x00, 0x00}, authority.ca.certificate().der()}) {
    body(der);
    EXPECT_EQ(answer().status, 400) << to_hex(der).substr(0, 80);
  }
}

TEST_F(EnrollTest, AWrongLinkingValueIs403AndClosesATls13Connection_TLSX_9266_d) {
  body(csr_with({text_attribute(kChallengePassword, base64_encode(Bytes(32)))}));
  http::Response response = answer();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.log_id, "linking.mismatch");
  EXPECT_NE(response.body.find("linking"), std::string::npos);
  EXPECT_TRUE(response.close);
  request.peer.tls_version = "TLSv1.2";
  response = answer();
  EXPECT_EQ(response.status, 403);
  EXPECT_FALSE(response.close);
}

TEST_F(EnrollTest, LinkingIsOnlySpentByARequestWhoseValueWasChecked_TLSX_9266_d) {
  body(csr_with({text_attribute(kChallengePassword, base64_encode(Bytes(32, 0x5A)))}));
  const auto right = fields;
  fields[0].second = "Basic " + base64_encode(as_bytes("ra:wrong"));
  EXPECT_FALSE(answer().close);
  fields = right;
  fields.resize(1);
  EXPECT_FALSE(answer().close);
}

TEST_F(EnrollTest, ANameOutsideTheScopeIs403AndSpendsACheckedBinding) {
  snapshot->aliases.at("est").ra_scope = ca::NameScope::parse("CN=other-*");
  body(csr_with({text_attribute(kChallengePassword, base64_encode(Bytes(32, 0x5A)))}));
  const http::Response response = answer();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.log_id, "enroll.outside_scope");
  EXPECT_TRUE(response.close);
}

}  // namespace
}  // namespace estia::est
