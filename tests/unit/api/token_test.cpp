// SPDX-License-Identifier: Apache-2.0
// POST /v1/token/probe.
#include "server/api/token.h"

#include "tests/unit/api/api_fixture.h"

namespace estia::api {
namespace {

class TokenApi : public ApiTest {
 protected:
  TokenApi() {
    management.probe_token = [this](const std::string& who) {
      asked_by += who + ";";
      return std::vector<ProvedKey>{{.ca = "issuing", .took = std::chrono::milliseconds(3)},
                                    {.ca = "other",
                                     .id = "token.key_not_found",
                                     .reason = "no such key",
                                     .took = std::chrono::milliseconds(1)}};
    };
    management.activate_token = [this](TokenActivation order, const std::string& who) {
      ordered += who + " " + order.token + " " +
                 (order.pin ? std::string(order.pin->text()) : "no PIN") + ";";
    };
    management.status = [] {
      return Status{
          .tokens = {{.name = "main", .logged_in = true},
                     {.name = "net", .state = "away", .keys = {{.key = "pkcs11:object=a"}}}}};
    };
  }
  std::string ordered;
  std::string asked_by;
};

TEST_F(TokenApi, TheProbeTellsOfEachCaAndGivesNoSignatureOut) {
  const Json probed = json_of(call("POST", "/v1/token/probe", "{}"));
  EXPECT_EQ(asked_by, "operator uid 1000;");
  EXPECT_EQ(probed.at("keys").dump(),
            R"([{"ca":"issuing","result":"ok","reason":null,"milliseconds":3},)"
            R"({"ca":"other","result":"token.key_not_found","reason":"no such key",)"
            R"("milliseconds":1}])");
  EXPECT_EQ(probed.at("tokens").at(0).at("logged_in"), true);
  EXPECT_EQ(probed.at("tokens").at(1).at("keys").at(0).at("key"), "pkcs11:object=a");
  EXPECT_EQ(probed.size(), 2U) << probed.dump();
}

TEST_F(TokenApi, AnOrderNamesItsTokenAndMayBringAPin) {
  EXPECT_EQ(json_of(call("POST", "/v1/token/activate", "{}")).at("name"), "main");
  const Json net =
      json_of(call("POST", "/v1/token/activate", R"({"token":"net","pin":"canary-1"})"));
  EXPECT_EQ(net.at("name"), "net");
  EXPECT_EQ(ordered, "operator uid 1000  no PIN;operator uid 1000 net canary-1;");
  EXPECT_EQ(net.dump().find("canary-1"), std::string::npos);
  EXPECT_EQ(refused(call("POST", "/v1/token/activate", R"({"pin":1234})")), "400 api.member");
}

/// Whoever may ask chooses nothing of what the CA keys sign.
TEST_F(TokenApi, TheProbeTakesNothing) {
  EXPECT_EQ(refused(call("POST", "/v1/token/probe", R"({"text":"sign me"})")), "400 api.member");
  EXPECT_EQ(refused(call("POST", "/v1/token/probe", "MIIB", "application/pkcs10")),
            "415 api.media_type");
  EXPECT_EQ(call("GET", "/v1/token/probe").status, 405);
  EXPECT_EQ(asked_by, "");
}

TEST_F(TokenApi, OthersMayNotAsk) {
  EXPECT_EQ(refused(call("POST", "/v1/token/probe", "{}", "application/json", 1001)),
            "403 api.peer_uid");
  EXPECT_EQ(asked_by, "");
}

TEST_F(TokenApi, OneThatRunsAlreadyIsBusy) {
  management.probe_token = [](const std::string&) -> std::vector<ProvedKey> {
    throw Error(ErrorCode::busy, "token.probing", "the token is being probed already");
  };
  EXPECT_EQ(refused(call("POST", "/v1/token/probe", "{}")), "503 token.probing");
}

}  // namespace
}  // namespace estia::api
