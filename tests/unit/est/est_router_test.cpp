// SPDX-License-Identifier: Apache-2.0
#include "server/est/est_router.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "tests/support/decrypt_keys.h"
#include "tests/support/no_server_keys.h"
#include "tests/support/refusal.h"
#include "tests/unit/est/est_fixture.h"

namespace estia::est {
namespace {

struct NoKeys final : ca::CaKeys {
  void distrust(const ca::CertificationAuthority&) const noexcept override {}
  [[nodiscard]] crypto::PrivateKey key_for(const ca::CertificationAuthority&) const override {
    throw std::logic_error("a refused request asked for the CA's key");
  }
};

class EstRouterTest : public testing::Test {
 protected:
  EstRouterTest() { snapshots.snapshot = make_snapshot(authority); }

  /// "/a/b" as the transport splits it.
  static std::vector<std::string> segments(const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find('/', at + 1), path.size());
      parts.push_back(path.substr(at + 1, end - at - 1));
      at = end;
    }
    return parts;
  }
  std::string refusal(const std::string& path, const std::string& method = "GET") {
    try {
      static_cast<void>(router.match(method, segments(path), {}));
      return "served";
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + " " + error.id();
    }
  }
  http::Response answer(const std::string& method, const std::string& path) {
    http::Request request;
    request.segments = segments(path);
    return router.match(method, request.segments, {}).handler(request);
  }

  test::SoftwareCa authority = test::make_software_ca();
  FixedSnapshot snapshots;
  UntouchableRegistry registry;
  NoEndEntities entities;
  SystemClock clock;
  NoKeys keys;
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
  CaCertificates certificates;
  EstRouter router{snapshots, certificates, enroll, refusals};
};

TEST_F(EstRouterTest, ServesEachOperationWithAndWithoutAlias_EST_3_2_2_f) {
  for (const std::string prefix :
       {"/.well-known/est/", "/.well-known/est/est/", "/.well-known/est/factory/"}) {
    EXPECT_EQ(answer("GET", prefix + "cacerts").status, 200);
    EXPECT_EQ(answer("HEAD", prefix + "cacerts").status, 200);
    EXPECT_EQ(answer("POST", prefix + "simpleenroll").status, 401);
    EXPECT_EQ(answer("POST", prefix + "simplereenroll").status, 403);
  }
}

// Found by a hostile client: who held back the body was judged by the configuration of the header.
TEST_F(EstRouterTest, ARequestIsJudgedByWhatIsInForceWhenItsBodyIsHere) {
  http::Request request;
  request.segments = segments("/.well-known/est/factory/simpleenroll");
  const http::RouteMatch route = router.match("POST", request.segments, {});
  auto changed = std::make_shared<ca::Snapshot>(*snapshots.snapshot);
  changed->aliases.erase("factory");
  snapshots.snapshot = changed;
  try {
    static_cast<void>(route.handler(request));
    ADD_FAILURE() << "served by an alias that is gone";
  } catch (const Error& error) {
    EXPECT_STREQ(error.id().c_str(), "route.unknown_alias");
  }
}

TEST_F(EstRouterTest, TheBodyLimitIsKnownBeforeTheBody_EST_6_d) {
  const auto enroll_route = router.match("POST", segments("/.well-known/est/simpleenroll"), {});
  EXPECT_TRUE(enroll_route.takes_body);
  EXPECT_EQ(enroll_route.body_limit, 65536U);
  EXPECT_FALSE(router.match("GET", segments("/.well-known/est/cacerts"), {}).takes_body);
}

TEST_F(EstRouterTest, OneSegmentThatIsNoOperationIs404_EST_3_2_2_h) {
  for (const char* path :
       {"/.well-known/est/CACERTS", "/.well-known/est/cacertsx", "/.well-known/est/est",
        "/.well-known/est/fullcmc", "/.well-known/est/serverkeygen", "/.well-known/est/csrattrs",
        "/.well-known/est/", "/.well-known/est", "/.well-known", "/", "/cacerts",
        "/.well-known/EST/cacerts", "/well-known/est/cacerts", "//.well-known/est/cacerts"}) {
    EXPECT_EQ(refusal(path), "not_found route.unknown") << path;
  }
}

/// Of the paths above, one is there where its alias says so, and until it no longer does.
TEST_F(EstRouterTest, ServerkeygenIsThereWhereTheAliasGivesKeys_EST_4_4_a) {
  auto giving = make_snapshot(authority);
  giving->aliases.at("factory").serverkeygen = {ca::KeyPackage::pkcs8};
  snapshots.snapshot = giving;
  EXPECT_EQ(refusal("/.well-known/est/serverkeygen"), "not_found route.unknown");
  const auto route = router.match("POST", segments("/.well-known/est/factory/serverkeygen"), {});
  EXPECT_TRUE(route.takes_body);
  snapshots.snapshot = make_snapshot(authority);
  http::Request request;
  request.segments = segments("/.well-known/est/factory/serverkeygen");
  EXPECT_EQ(test::refusal([&] { static_cast<void>(route.handler(request)); }),
            "not_found route.unknown");
}

TEST_F(EstRouterTest, AnUnknownAliasIs400WhateverTheOperation_EST_3_2_2_h) {
  for (const char* path : {"/.well-known/est/unknown/cacerts", "/.well-known/est/unknown/nothing",
                           "/.well-known/est/EST/cacerts", "/.well-known/est//cacerts",
                           "/.well-known/est/../cacerts"}) {
    EXPECT_EQ(refusal(path), "malformed route.unknown_alias") << path;
  }
}

TEST_F(EstRouterTest, AnOperationsNameIsNoAlias_EST_3_2_2_e) {
  for (const char* path : {"/.well-known/est/serverkeygen/return", "/.well-known/est/cacerts/",
                           "/.well-known/est/cacerts/cacerts", "/.well-known/est/firmware/return",
                           "/.well-known/est/simpleenroll/factory"}) {
    EXPECT_EQ(refusal(path), "not_found route.unknown") << path;
  }
}

TEST_F(EstRouterTest, AKnownAliasWithAnUnknownOperationAndAThirdSegmentAre404_EST_3_2_2_h) {
  for (const char* path :
       {"/.well-known/est/factory/nothing", "/.well-known/est/factory/",
        "/.well-known/est/factory/cacerts/", "/.well-known/est/factory/factory",
        "/.well-known/est/factory/cacerts/x", "/.well-known/est/unknown/cacerts/x"}) {
    EXPECT_EQ(refusal(path), "not_found route.unknown") << path;
  }
}

TEST_F(EstRouterTest, AWrongMethodIs405WithAllow_HTTP_15_5_6_a) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    const http::Response response = answer(method, "/.well-known/est/cacerts");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD");
    EXPECT_EQ(response.log_id, "route.wrong_method");
  }
  for (const char* method : {"GET", "HEAD", "PUT"}) {
    const http::Response response = answer(method, "/.well-known/est/factory/simpleenroll");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.find("Allow"), "POST");
  }
}

TEST_F(EstRouterTest, AMethodNobodyKnowsIs501) {
  for (const char* method : {"BREW", "get", "PROPFIND"}) {
    EXPECT_EQ(answer(method, "/.well-known/est/cacerts").status, 501) << method;
  }
}

TEST_F(EstRouterTest, WithoutTheDefaultAliasTheBarePathIsUnknown) {
  auto snapshot = make_snapshot(authority);
  snapshot->aliases.erase("est");
  snapshots.snapshot = snapshot;
  EXPECT_EQ(refusal("/.well-known/est/cacerts"), "not_found route.unknown");
  EXPECT_EQ(refusal("/.well-known/est/factory/cacerts"), "served");
}

}  // namespace
}  // namespace estia::est
