// SPDX-License-Identifier: Apache-2.0
#include "server/auth/password.h"
#include "tests/unit/api/api_fixture.h"
#include "tests/unit/provision/good_document.h"

namespace estia::api {
namespace {

using test::good_document;
using test::mutated;

constexpr const char* kPassword = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5";

class ConfigurationApi : public ApiTest {
 protected:
  [[nodiscard]] http::Response put(const std::string& document, Json more = Json::object(),
                                   bool with_password = true) const {
    more["document"] = document;
    more["source"] = "ca.toml";
    if (with_password) {
      more["passwords"] =
          Json::array({{{"alias", "est"}, {"user", "ra"}, {"password", kPassword}}});
    }
    return call("PUT", "/v1/configuration", more.dump());
  }
  [[nodiscard]] http::Response check(const std::string& document) const {
    return call("POST", "/v1/configuration/check",
                Json{{"document", document}, {"source", "ca.toml"}}.dump());
  }
  [[nodiscard]] std::uint64_t version() const {
    return store->configuration().load().value_or(ca::StoredConfiguration{}).version;
  }
};

TEST_F(ConfigurationApi, AFreshStoreHasNone) {
  EXPECT_EQ(refused(call("GET", "/v1/configuration")), "422 config.none");
}

TEST_F(ConfigurationApi, IsReplacedWholeAndReadBack) {
  const Json report = json_of(put(good_document()));
  EXPECT_EQ(report["version"], 1);
  EXPECT_EQ(report["added"].size(), 7U);
  EXPECT_TRUE(report["changed"].empty());
  const Json read = json_of(call("GET", "/v1/configuration"));
  EXPECT_EQ(read["version"], 1);
  EXPECT_EQ(read["document"].get<std::string>().find("password"), std::string::npos);
  const Json again = json_of(put(read["document"], Json{{"replaces", 1}}, false));
  EXPECT_EQ(again["version"], 1);
  EXPECT_TRUE(
      auth::verify_password(store->configuration().load()->accounts.at(0).password, kPassword));
  EXPECT_EQ(json_of(put(mutated("365d", "30d"), Json{{"replaces", 1}}))["version"], 2);
}

TEST_F(ConfigurationApi, CheckTellsAndChangesNothing) {
  ASSERT_EQ(put(good_document()).status, 200);
  const Json report = json_of(check(mutated("max_san = 7", "max_san = 8")));
  EXPECT_EQ(report["version"], 1);
  EXPECT_EQ(report["changed"], Json({"end-entity profile device"}));
  EXPECT_EQ(report["needs"], Json::array({{{"alias", "est"},
                                           {"user", "ra"},
                                           {"password_file", "ra.password"},
                                           {"generated", false}}}));
  EXPECT_NE(report["diff"].get<std::string>().find("+max_san = 8"), std::string::npos);
  EXPECT_EQ(version(), 1U);
}

TEST_F(ConfigurationApi, ARefusalHasItsTextAndChangesNothing) {
  ASSERT_EQ(put(good_document()).status, 200);
  for (const http::Response& response : {put(mutated("ca = \"issuing\"", "ca = \"other\"")),
                                         check(mutated("ca = \"issuing\"", "ca = \"other\""))}) {
    EXPECT_EQ(refused(response), "422 config.reference");
    EXPECT_NE(response.body.find("ca.toml:"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find("there is no 'other'"), std::string::npos) << response.body;
  }
  EXPECT_EQ(refused(put(mutated("365d", "30d"), Json{{"replaces", 9}})), "409 config.version");
  EXPECT_EQ(refused(put(mutated("365d", "30d"), Json::object(), false)),
            "422 config.password_missing");
  EXPECT_EQ(version(), 1U);
}

TEST_F(ConfigurationApi, AKeyThatTheTokenDoesNotHaveIsRefusedBeforeItIsStored) {
  ASSERT_EQ(put(good_document()).status, 200);
  check_keys = [](const ca::Snapshot&) {
    throw Error(ErrorCode::config, "ca_keys.mismatch", "CA 'issuing': not the key");
  };
  const std::string wanted = mutated("365d", "30d");
  EXPECT_EQ(refused(put(wanted)), "422 ca_keys.mismatch");
  EXPECT_EQ(refused(check(wanted)), "422 ca_keys.mismatch");
  EXPECT_EQ(version(), 1U);
}

TEST_F(ConfigurationApi, MalformedRequestsAreRefused) {
  const auto raw = [&](const Json& body) {
    return refused(call("PUT", "/v1/configuration", body.dump()));
  };
  const Json account{{"alias", "est"}, {"user", "ra"}, {"password", kPassword}};
  EXPECT_EQ(raw(Json::object()), "400 api.member");
  EXPECT_EQ(raw({{"document", 1}}), "400 api.member");
  EXPECT_EQ(raw({{"document", "x"}, {"replace", 1}}), "400 api.member");
  EXPECT_EQ(raw({{"document", "x"}, {"replaces", -1}}), "400 api.member");
  EXPECT_EQ(raw({{"document", "x"}, {"passwords", {{"est", "x"}}}}), "400 api.member");
  EXPECT_EQ(raw({{"document", "x"}, {"passwords", Json::array({account, account})}}),
            "400 api.member");
  EXPECT_EQ(raw({{"document", "x"}, {"passwords", Json::array({"text"})}}), "400 api.json");
  EXPECT_EQ(raw({{"document", std::string((4U << 20U) + 1, '#')}}), "413 api.document_too_large");
  EXPECT_EQ(version(), 0U);
}

}  // namespace
}  // namespace estia::api
