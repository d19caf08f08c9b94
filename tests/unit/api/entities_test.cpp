// SPDX-License-Identifier: Apache-2.0
#include "server/api/entities.h"

#include "server/auth/password.h"
#include "tests/support/certificates.h"
#include "tests/unit/api/api_fixture.h"

namespace estia::api {
namespace {

class EntitiesTest : public ApiTest {
 protected:
  EntitiesTest() {
    snapshot->cas.emplace("issuing", test::make_software_ca().ca);
    snapshot->end_entity_profiles.emplace("device", test::device_names());
    snapshot->certificate_profiles.emplace("device", test::device_profile());
    auto sub_ca = test::device_profile();
    sub_ca.ca = true;
    snapshot->certificate_profiles.emplace("sub-ca", sub_ca);
  }

  static Json plan(const std::string& username = "device-1") {
    return {{"username", username},
            {"ca", "issuing"},
            {"end_entity_profile", "device"},
            {"certificate_profile", "device"},
            {"subject", "CN=device-1,O=Acme"},
            {"san", {"dns:a.example", "ip:10.0.0.1"}}};
  }
  http::Response post(const std::string& path, const Json& body) {
    return call("POST", path, body.dump());
  }
  std::string refused_plan(const std::string& member, const Json& value) {
    Json body = plan();
    body[member] = value;
    return refused(post("/v1/entities", body));
  }
};

TEST_F(EntitiesTest, RegistersAndShows) {
  const http::Response added = post("/v1/entities", plan());
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(Json::parse(added.body).at("subject"), "CN=device-1,O=Acme");
  const Json shown = json_of(post("/v1/entities/show", {{"username", "DEVICE-1"}}));
  EXPECT_EQ(shown.at("username"), "device-1");
  EXPECT_EQ(shown.at("san"), (Json{"dns:a.example", "ip:10.0.0.1"}));
  EXPECT_EQ(shown.at("disabled"), false);
  EXPECT_EQ(shown.at("codes"), Json::array());
  EXPECT_EQ(refused(post("/v1/entities", plan())), "409 entity.exists");
  EXPECT_EQ(refused(post("/v1/entities/show", {{"username", "x"}})), "404 entity.unknown");
}

TEST_F(EntitiesTest, WhatCouldNeverEnrolIsRefusedAtOnce) {
  EXPECT_EQ(refused_plan("ca", "none"), "422 config.reference");
  EXPECT_EQ(refused_plan("end_entity_profile", "none"), "422 config.reference");
  EXPECT_EQ(refused_plan("certificate_profile", "none"), "422 config.reference");
  EXPECT_EQ(refused_plan("certificate_profile", "sub-ca"), "422 config.ca_profile_on_alias");
  EXPECT_EQ(refused_plan("subject", "C=DE"), "422 enroll.subject_attribute");
  EXPECT_EQ(refused_plan("subject", "O=Acme"), "422 enroll.subject_missing");
  EXPECT_EQ(refused_plan("subject", "CN"), "422 name.text");
  EXPECT_EQ(refused_plan("san", {"uri:urn:a:b"}), "422 enroll.san_kind");
  EXPECT_EQ(refused_plan("san", {"host"}), "422 san.text");
  EXPECT_EQ(refused_plan("san", "dns:a.example"), "400 api.member");
  EXPECT_EQ(refused_plan("san", {1}), "400 api.member");
  EXPECT_EQ(refused_plan("username", " "), "422 entity.username");
  EXPECT_EQ(refused_plan("username", std::string(256, 'a')), "422 entity.username");
  EXPECT_EQ(refused_plan("username", "a\nb"), "422 entity.username");
  EXPECT_EQ(refused_plan("username", "a\u202Eb"), "422 entity.username");
  EXPECT_EQ(refused_plan("user", "a"), "400 api.member");
  EXPECT_EQ(json_of(post("/v1/entities/list", Json::object())).at("entities"), Json::array());
}

TEST_F(EntitiesTest, ListsPageByPage) {
  for (const char* name : {"c", "a", "b"}) {
    EXPECT_EQ(post("/v1/entities", plan(name)).status, 201);
  }
  const Json first = json_of(post("/v1/entities/list", {{"limit", 2}}));
  EXPECT_EQ(first.at("entities").size(), 2U);
  EXPECT_EQ(first.at("next"), "b");
  const Json rest = json_of(post("/v1/entities/list", {{"limit", 2}, {"after", "b"}}));
  EXPECT_EQ(rest.at("entities").at(0).at("username"), "c");
  EXPECT_TRUE(rest.at("next").is_null());
}

TEST_F(EntitiesTest, ACodeIsToldOnceAndStoredAsAHash) {
  EXPECT_EQ(refused(post("/v1/codes", {{"username", "device-1"}})), "404 entity.unknown");
  EXPECT_EQ(post("/v1/entities", plan()).status, 201);
  const http::Response made =
      post("/v1/codes", {{"username", "device-1"}, {"uses", 3}, {"seconds", 60}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string code = Json::parse(made.body).at("code");
  EXPECT_GE(code.size(), 22U) << "128 bits";
  const Json shown = json_of(post("/v1/entities/show", {{"username", "device-1"}}));
  ASSERT_EQ(shown.at("codes").size(), 1U);
  EXPECT_EQ(shown.at("codes").at(0).at("uses_left"), 3);
  EXPECT_EQ(shown.dump().find(code), std::string::npos);
  const auto stored = store->end_entities().codes("device-1", clock.now());
  EXPECT_TRUE(auth::verify_password(stored.at(0).hash, code));

  const std::string again = Json::parse(post("/v1/codes", {{"username", "device-1"}}).body)["code"];
  EXPECT_NE(again, code);
  EXPECT_EQ(store->end_entities().codes("device-1", clock.now()).size(), 1U);
  EXPECT_EQ(json_of(post("/v1/codes/remove", {{"username", "device-1"}})).at("codes"),
            Json::array());
}

TEST_F(EntitiesTest, ACodeHasBounds) {
  EXPECT_EQ(post("/v1/entities", plan()).status, 201);
  for (const Json& wrong : {Json{{"uses", 0}}, Json{{"uses", 1'000'001}}, Json{{"seconds", 0}},
                            Json{{"seconds", 4'000'000'000U}}, Json{{"uses", 1ULL << 40U}}}) {
    Json body{{"username", "device-1"}};
    body.update(wrong);
    EXPECT_EQ(refused(post("/v1/codes", body)), "422 code.plan") << body;
  }
  EXPECT_EQ(refused(post("/v1/codes", {{"username", "device-1"}, {"uses", -1}})), "400 api.member");
}

TEST_F(EntitiesTest, DisablesAndEnables) {
  EXPECT_EQ(post("/v1/entities", plan()).status, 201);
  EXPECT_EQ(json_of(post("/v1/entities/disable", {{"username", "device-1"}})).at("disabled"), true);
  EXPECT_EQ(json_of(post("/v1/entities/enable", {{"username", "device-1"}})).at("disabled"), false);
  EXPECT_EQ(refused(post("/v1/entities/disable", {{"username", "x"}})), "404 entity.unknown");
}

TEST_F(EntitiesTest, NobodyElseMayUseIt) {
  for (const char* path : {"/v1/entities", "/v1/entities/list", "/v1/codes"}) {
    EXPECT_EQ(refused(call("POST", path, plan().dump(), "application/json", 1001)),
              "403 api.peer_uid");
  }
}

}  // namespace
}  // namespace estia::api
