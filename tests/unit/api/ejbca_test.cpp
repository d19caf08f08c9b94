// SPDX-License-Identifier: Apache-2.0
#include "server/api/ejbca.h"

#include "crypto/base/bytes.h"
#include "tests/unit/api/api_fixture.h"

namespace estia::api {
namespace {

class EjbcaApi : public ApiTest {
 protected:
  static Json wanted(const std::string& dump) {
    return {{"dump", base64_encode(as_bytes(dump))},
            {"source", "est.properties"},
            {"maps", {"ca:1=issuing", "eeprofile:1=device", "certprofile:1=device"}}};
  }
  [[nodiscard]] http::Response post(const Json& body) const {
    return call("POST", "/v1/ejbca-import", body.dump());
  }
  [[nodiscard]] std::string refused_with(const std::string& member, const Json& value) const {
    Json body = wanted("a.defaultca=1\n");
    body[member] = value;
    return refused(post(body));
  }
};

TEST_F(EjbcaApi, TellsAndChangesNothing) {
  Json body = wanted("a.defaultca=1\na.requsername=\xE9\na.unheard=of\n");
  body["ra_scope"] = "any";
  EXPECT_EQ(refused(post(body)), "422 ejbca.alias") << "a Latin-1 file is read, its user is not";
  const Json answer = json_of(post(wanted("a.defaultca=1\n# \xE9\na.unheard=of\n")));
  EXPECT_NE(answer.at("toml").get<std::string>().find("[[alias]]\nname = \"a\"\n"),
            std::string::npos);
  EXPECT_FALSE(answer.at("took").empty());
  EXPECT_FALSE(answer.at("differs").empty());
  EXPECT_EQ(answer.at("not_taken"),
            Json({"est.properties:3: a.unheard: no setting of an alias that is known here"}));
  EXPECT_EQ(refused(call("GET", "/v1/configuration")), "422 config.none");
}

TEST_F(EjbcaApi, Refusals) {
  EXPECT_EQ(refused(post(wanted(""))), "422 ejbca.no_alias");
  EXPECT_EQ(refused(post(wanted("a.defaultca=2\n"))), "422 ejbca.unmapped");
  EXPECT_EQ(refused(post(wanted("a.defaultca=1\na.requsername=x\n"))), "422 ejbca.scope_missing");
  EXPECT_EQ(refused(post(wanted("a=\\u1\n"))), "422 properties.escape");
  EXPECT_EQ(refused(post(wanted(std::string((1U << 20U) + 1, '#')))), "413 properties.too_large");
  EXPECT_EQ(refused_with("dump", "a.defaultca=1"), "400 base64.invalid");
  EXPECT_EQ(refused_with("dump", 1), "400 api.member");
  EXPECT_EQ(refused_with("maps", "ca:1=issuing"), "400 api.member");
  EXPECT_EQ(refused_with("maps", {"ca:1"}), "422 ejbca.map");
  EXPECT_EQ(refused_with("ra_scope", "everything"), "422 scope.invalid");
  EXPECT_EQ(refused_with("ra-scope", "any"), "400 api.member");
  EXPECT_EQ(refused(call("POST", "/v1/ejbca-import", "{}")), "400 api.member");
  EXPECT_EQ(refused(call("POST", "/v1/ejbca-import", wanted("").dump(), "application/json", 1001)),
            "403 api.peer_uid");
}

}  // namespace
}  // namespace estia::api
