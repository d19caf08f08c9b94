// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/api/api_fixture.h"

namespace estia::api {
namespace {

using ApiRouterTest = ApiTest;

TEST_F(ApiRouterTest, WhoIsNotListedIsRefusedWhateverIsAskedFor) {
  for (const std::optional<unsigned> uid :
       {std::optional<unsigned>(0U), std::optional<unsigned>(1001U), std::optional<unsigned>()}) {
    for (const char* path : {"/v1/status", "/v1/configuration", "/v1/nothing", "/"}) {
      EXPECT_EQ(refused(call("GET", path, "", "", uid)), "403 api.peer_uid") << path;
    }
    EXPECT_EQ(refused(call("PUT", "/v1/configuration", "{}", "application/json", uid)),
              "403 api.peer_uid");
  }
  EXPECT_EQ(call("GET", "/v1/status").status, 200);
}

TEST_F(ApiRouterTest, UnknownPathsAre404) {
  for (const char* path : {"/", "/v1", "/v2/status", "/v1/status/more", "/v1/certificates",
                           "/v1/certificates/", "/v1/certificates/01/burn", "/V1/status"}) {
    EXPECT_EQ(refused(call("GET", path)), "404 api.unknown") << path;
  }
}

TEST_F(ApiRouterTest, AWrongMethodIs405WithThoseThatAreAllowed) {
  const http::Response response = call("DELETE", "/v1/configuration");
  EXPECT_EQ(refused(response), "405 api.method");
  EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(call("GET", "/v1/configuration/check").headers.find("Allow"), "POST");
  EXPECT_EQ(call("HEAD", "/v1/status").status, 200);
}

TEST_F(ApiRouterTest, OnlyRoutesThatTakeABodyGetOne) {
  http::PeerInfo peer;
  peer.local = http::LocalPeer{kUid, 1};
  const auto takes = [&](const char* method, const std::vector<std::string>& segments) {
    return router->match(method, segments, peer).takes_body;
  };
  EXPECT_TRUE(takes("PUT", {"v1", "configuration"}));
  EXPECT_TRUE(takes("POST", {"v1", "certificates", "01", "hold"}));
  EXPECT_FALSE(takes("GET", {"v1", "configuration"}));
  EXPECT_FALSE(takes("PUT", {"v1", "status"}));
  EXPECT_FALSE(takes("POST", {"nothing"}));
  peer.local->uid = kUid + 1;
  EXPECT_FALSE(takes("PUT", {"v1", "configuration"})) << "nothing of whom is not listed";
  peer.local.reset();
  EXPECT_FALSE(takes("PUT", {"v1", "configuration"}));
}

TEST_F(ApiRouterTest, StatusTellsWhatRuns) {
  const Json status = json_of(call("GET", "/v1/status"));
  EXPECT_EQ(status["version"], "1.2.3");
  EXPECT_EQ(status["pid"], 42);
  EXPECT_EQ(status["node"], "test");
  EXPECT_EQ(status["started_at"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(status["configuration"], 7);
  EXPECT_EQ(status["aliases"], Json({"est"}));
  EXPECT_EQ(status["est"], Json({{"host", "::1"}, {"port", 8443}}));
  EXPECT_EQ(status["store"]["failed"], false);
}

}  // namespace
}  // namespace estia::api
