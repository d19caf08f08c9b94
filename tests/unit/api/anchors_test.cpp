// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_document.h"
#include "tests/support/certificates.h"
#include "tests/support/crl_forge.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/provision/good_document.h"

namespace estia::api {
namespace {

class AnchorsApi : public ApiTest {
 protected:
  AnchorsApi() {
    const std::string document = test::mutated(
        "[[account]]\nalias = \"est\"\nuser = \"ra\"\n"
        "password_file = \"ra.password\"\n",
        "[[alias]]\nname = \"factory\"\nca = \"issuing\"\nmode = \"client\"\n"
        "authenticators = [\"vendor-certificate\"]\n");
    EXPECT_EQ(call("PUT", "/v1/configuration", Json{{"document", document}}.dump()).status, 200);
    publish();
  }
  void publish() { *snapshot = *provision::build_snapshot(store->configuration().load().value()); }
  [[nodiscard]] http::Response add(Json more = Json::object()) {
    Json body{{"name", "acme"},
              {"certificate", vendor.ca.certificate().to_pem()},
              {"revocation", "crl-required"},
              {"vendor_of", {"factory"}}};
    body.update(more);
    http::Response response = call("POST", "/v1/anchors", body.dump());
    publish();
    return response;
  }
  [[nodiscard]] http::Response hand_in(const Bytes& crl, const std::string& name = "acme") {
    http::Response response =
        call("POST", "/v1/anchors/" + name + "/crl", Json{{"crl", base64_encode(crl)}}.dump());
    publish();
    return response;
  }
  [[nodiscard]] Bytes crl(std::chrono::minutes age = std::chrono::minutes(0)) const {
    return test::make_crl(vendor.key, {.issuer = vendor.ca.certificate().subject(),
                                       .revoked = {{0x42}},
                                       .this_update = clock.now() - age,
                                       .next_update = clock.now() + std::chrono::hours(1)});
  }

  const test::SoftwareCa vendor = test::make_software_ca("vendor");
};

TEST_F(AnchorsApi, AreInspectedAddedListedAndRemoved) {
  const Json seen = json_of(call("POST", "/v1/anchors/inspect",
                                 Json{{"certificate", vendor.ca.certificate().to_pem()}}.dump()));
  EXPECT_EQ(seen["sha256"], to_hex(vendor.ca.certificate().fingerprint_sha256()));
  EXPECT_EQ(seen["sha512"].get<std::string>().size(), 128U);
  EXPECT_TRUE(snapshot->trust_anchors.empty());

  const http::Response added = add();
  ASSERT_EQ(added.status, 201) << added.body;
  const Json list = json_of(call("GET", "/v1/anchors"))["anchors"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["vendor_of"], Json({"factory"}));
  EXPECT_EQ(list[0]["explicit_of"], Json::array());
  EXPECT_EQ(list[0]["revocation"], "crl-required");
  EXPECT_EQ(list[0]["subject"], vendor.ca.certificate().subject().text());

  EXPECT_EQ(refused(add()), "409 anchor.exists");
  const Json removed = json_of(call("POST", "/v1/anchors/acme/remove", "{}"));
  EXPECT_EQ(removed["removed"], Json({"trust anchor acme"}));
  publish();
  EXPECT_TRUE(snapshot->aliases.at("factory").vendor_anchors.empty());
  EXPECT_EQ(refused(call("POST", "/v1/anchors/acme/remove", "{}")), "404 anchor.unknown");
}

TEST_F(AnchorsApi, WhatIsWrongChangesNothing) {
  const std::uint64_t version = store->configuration().load()->version;
  EXPECT_EQ(refused(add({{"certificate", "no"}})), "422 config.value");
  EXPECT_EQ(refused(add({{"revocation", "soon"}})), "422 config.value");
  EXPECT_EQ(refused(add({{"certificate", test::issuing_pem()}})), "422 config.anchor_is_ours");
  EXPECT_EQ(refused(add({{"vendor_of", {"nobody"}}})), "422 config.reference");
  const http::Response response = add({{"vendor_of", {"est"}}});
  EXPECT_EQ(refused(response), "422 config.value");
  EXPECT_NE(response.body.find("with trust anchor acme"), std::string::npos) << response.body;
  EXPECT_EQ(refused(add({{"unknown", true}})), "400 api.member");
  const std::string two = vendor.ca.certificate().to_pem() + vendor.ca.certificate().to_pem();
  EXPECT_EQ(refused(call("POST", "/v1/anchors/inspect", Json{{"certificate", two}}.dump())),
            "400 anchor.one_certificate");
  EXPECT_EQ(store->configuration().load()->version, version);
}

TEST_F(AnchorsApi, CrlsAreStoredAuditedAndKept) {
  ASSERT_EQ(add().status, 201);
  EXPECT_EQ(refused(hand_in(crl(), "nobody")), "404 anchor.unknown");
  const Json taken = json_of(hand_in(crl(std::chrono::minutes(1))));
  EXPECT_EQ(taken["revoked"], 1);
  EXPECT_EQ(refused(hand_in(crl(std::chrono::minutes(9)))), "409 crl.older");
  EXPECT_EQ(refused(hand_in(Bytes{1, 2, 3})), "400 crl.malformed");
  EXPECT_EQ(json_of(hand_in(crl()))["revoked"], 1);
  EXPECT_EQ(store->configuration().load()->crls.size(), 1U) << "in place of the older one";
  const Json list = json_of(call("GET", "/v1/anchors"))["anchors"];
  EXPECT_EQ(list[0]["crls"].size(), 1U);
  EXPECT_GT(store->verify_audit_chain(), 3U);
}

TEST_F(AnchorsApi, OurOwnCasAreShown) {
  const Json ca = json_of(call("GET", "/v1/cas/issuing"));
  EXPECT_EQ(ca["certificate"], test::issuing_pem());
  EXPECT_EQ(ca["chain"], test::issuing_pem() + test::root_pem());
  EXPECT_EQ(json_of(call("GET", "/v1/cas"))["cas"].size(), 1U);
  EXPECT_EQ(refused(call("GET", "/v1/cas/nobody")), "404 ca.unknown");
}

}  // namespace
}  // namespace estia::api
