// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"
#include "tests/unit/api/api_fixture.h"

namespace estia::api {
namespace {

class CertificatesTest : public ApiTest {
 protected:
  CertificatesTest() {
    static_cast<void>(store->registry().intend({.serial = {0x4F, 0x2A},
                                                .ca = "issuing",
                                                .tbs = {1},
                                                .alias = "est",
                                                .operation = "simpleenroll",
                                                .profile = "device",
                                                .who = "account est/ra",
                                                .username = "device-1",
                                                .not_before = clock.now(),
                                                .not_after = clock.now()},
                                               {.at = clock.now(),
                                                .who = "account est/ra",
                                                .what = "certificate.intent",
                                                .outcome = "ok"}));
  }
  [[nodiscard]] std::string post(const std::string& what, const std::string& body = "{}") const {
    const http::Response response = call("POST", "/v1/certificates/4f2a/" + what, body);
    return response.status == 200 ? "200" : refused(response);
  }
  [[nodiscard]] Json shown() const { return json_of(call("GET", "/v1/certificates/4F:2a")); }
};

TEST_F(CertificatesTest, ShowsWhatIsRecorded) {
  const Json record = shown();
  EXPECT_EQ(record["serial"], "4f2a");
  EXPECT_EQ(record["ca"], "issuing");
  EXPECT_EQ(record["alias"], "est");
  EXPECT_EQ(record["username"], "device-1");
  EXPECT_EQ(record["profile"], "device");
  EXPECT_EQ(record["state"], "intended");
  EXPECT_TRUE(record["revocation"].is_null());
  EXPECT_TRUE(record["certificate"].is_null());
  EXPECT_EQ(refused(call("GET", "/v1/certificates/01")), "404 registry.unknown_serial");
  EXPECT_EQ(refused(call("GET", "/v1/certificates/xyz")), "422 serial.invalid");
}

TEST_F(CertificatesTest, AnIssuedOneIsShownWhole) {
  const crypto::Certificate certificate = test::make_software_ca("shown").ca.certificate();
  static_cast<void>(store->registry().commit(
      {0x4F, 0x2A}, certificate.der(),
      {.at = clock.now(), .who = "x", .what = "certificate.issued", .outcome = "ok"}));
  const Json record = shown();
  EXPECT_EQ(record["state"], "issued");
  EXPECT_EQ(record["certificate"], certificate.to_pem());
  EXPECT_EQ(record["subject"], certificate.subject().text());
  EXPECT_EQ(record["not_after"], utc_text(certificate.not_after()));
}

TEST_F(CertificatesTest, RevokesOnceWithItsReason) {
  EXPECT_EQ(post("revoke", R"({"reason":"keyCompromise"})"), "200");
  EXPECT_EQ(shown()["revocation"]["reason"], "keyCompromise");
  EXPECT_EQ(post("revoke"), "409 registry.already_revoked");
  EXPECT_EQ(post("hold"), "409 registry.already_revoked");
  EXPECT_EQ(post("release"), "409 registry.not_held");
  EXPECT_EQ(shown()["revocation"]["reason"], "keyCompromise");
}

TEST_F(CertificatesTest, HoldsAndReleases) {
  EXPECT_EQ(post("release"), "409 registry.not_held");
  EXPECT_EQ(post("hold", ""), "200");
  EXPECT_EQ(shown()["revocation"]["reason"], "certificateHold");
  EXPECT_EQ(post("hold"), "409 registry.already_held");
  EXPECT_EQ(post("release"), "200");
  EXPECT_TRUE(shown()["revocation"].is_null());
  EXPECT_EQ(post("hold"), "200");
  EXPECT_EQ(post("revoke"), "200") << "for good";
  EXPECT_EQ(shown()["revocation"]["reason"], "unspecified");
}

TEST_F(CertificatesTest, RefusesWhatItDoesNotUnderstandAndChangesNothing) {
  EXPECT_EQ(post("revoke", R"({"reason":"certificateHold"})"), "422 revoke.reason");
  EXPECT_EQ(post("revoke", R"({"reason":"because"})"), "422 revoke.reason");
  EXPECT_EQ(post("revoke", R"({"raeson":"superseded"})"), "400 api.member");
  EXPECT_EQ(post("revoke", R"({"reason":1})"), "400 api.member");
  EXPECT_EQ(post("hold", R"({"reason":"x"})"), "400 api.member");
  EXPECT_EQ(post("revoke", "{"), "400 api.json");
  EXPECT_EQ(refused(call("POST", "/v1/certificates/4f2a/revoke", "{}", "text/plain")),
            "415 api.media_type");
  EXPECT_EQ(refused(call("POST", "/v1/certificates/01/revoke", "{}")),
            "404 registry.unknown_serial");
  EXPECT_TRUE(shown()["revocation"].is_null());
}

}  // namespace
}  // namespace estia::api
