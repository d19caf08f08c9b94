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
      return TokenTrialReport{.present = true,
                              .logged_in = true,
                              .keys = {{.ca = "issuing", .took = std::chrono::milliseconds(3)},
                                       {.ca = "other",
                                        .id = "token.key_not_found",
                                        .reason = "no such key",
                                        .took = std::chrono::milliseconds(1)}}};
    };
  }
  std::string asked_by;
};

TEST_F(TokenApi, TheProbeTellsOfEachCaAndGivesNoSignatureOut) {
  const Json probed = json_of(call("POST", "/v1/token/probe", "{}"));
  EXPECT_EQ(asked_by, "operator uid 1000;");
  EXPECT_EQ(probed.at("keys").dump(),
            R"([{"ca":"issuing","result":"ok","reason":null,"milliseconds":3},)"
            R"({"ca":"other","result":"token.key_not_found","reason":"no such key",)"
            R"("milliseconds":1}])");
  EXPECT_EQ(probed.at("logged_in"), true);
  EXPECT_EQ(probed.at("present"), true);
  EXPECT_TRUE(probed.contains("token"));
  EXPECT_EQ(probed.size(), 4U) << probed.dump();
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
  management.probe_token = [](const std::string&) -> TokenTrialReport {
    throw Error(ErrorCode::busy, "token.probing", "the token is being probed already");
  };
  EXPECT_EQ(refused(call("POST", "/v1/token/probe", "{}")), "503 token.probing");
}

}  // namespace
}  // namespace estia::api
