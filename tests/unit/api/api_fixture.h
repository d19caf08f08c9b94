// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "server/api/anchors.h"
#include "server/api/api_router.h"
#include "server/api/cas.h"
#include "server/api/certificates.h"
#include "server/api/configuration.h"
#include "server/api/decrypt_keys.h"
#include "server/api/ejbca.h"
#include "server/api/entities.h"
#include "server/api/json.h"
#include "server/api/management.h"
#include "server/api/status.h"
#include "server/api/token.h"
#include "server/store/store.h"
#include "tests/support/decrypt_keys.h"
#include "tests/support/scratch_directory.h"

namespace estia::api {

/// The routes over a real store, called as the transport calls them; user 1000 may use them.
class ApiTest : public testing::Test {
 protected:
  static constexpr unsigned kUid = 1000;

  ApiTest() : store(store::Store::create(scratch.path() / "s.db", "test", clock)) {
    std::vector<Route> routes;
    for (const auto& add :
         {configuration_routes, certificates_routes, entities_routes, anchors_routes, cas_routes,
          decrypt_keys_routes, ejbca_routes, status_routes, token_routes}) {
      for (Route& route : add(management)) {
        routes.push_back(std::move(route));
      }
    }
    router = std::make_unique<ApiRouter>(std::move(routes), std::vector<unsigned>{kUid});
  }

  [[nodiscard]] http::Response call(const std::string& method, const std::string& path,
                                    const std::string& body = "",
                                    const std::string& type = "application/json",
                                    std::optional<unsigned> uid = kUid) const {
    http::Request request;
    request.method = method;
    request.path = path;
    for (std::size_t at = 1; at <= path.size();) {
      const std::size_t end = std::min(path.find('/', at), path.size());
      request.segments.push_back(path.substr(at, end - at));
      at = end + 1;
    }
    request.body = body;
    if (!type.empty()) {
      request.headers.add("Content-Type", type);
    }
    if (uid) {
      request.peer.local = http::LocalPeer{*uid, 1};
    }
    return router->match(method, request.segments, request.peer).handler(request);
  }
  /// "status id" of a refusal.
  [[nodiscard]] static std::string refused(const http::Response& response) {
    const Json body = Json::parse(response.body);
    EXPECT_EQ(response.log_id, body.value("id", ""));
    return std::to_string(response.status) + " " + body.value("id", "");
  }
  [[nodiscard]] static Json json_of(const http::Response& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
    return Json::parse(response.body);
  }

  SystemClock clock;
  test::ScratchDirectory scratch;
  std::unique_ptr<store::Store> store;
  std::function<void(const ca::Snapshot&)> check_keys = [](const ca::Snapshot&) {};
  std::shared_ptr<ca::Snapshot> snapshot = std::make_shared<ca::Snapshot>();
  test::OpenSealer sealer;
  Management management{.registry = store->registry(),
                        .entities = store->end_entities(),
                        .decrypt_keys = store->decrypt_keys(),
                        .configuration = store->configuration(),
                        .clock = clock,
                        .snapshot = [this] { return snapshot; },
                        .apply =
                            [this](const provision::ApplyRequest& request) {
                              return provision::apply(request, store->configuration(), clock,
                                                      {.prepare = check_keys, .publish = {}});
                            },
                        .take_crl =
                            [this](const provision::CrlRequest& request) {
                              return provision::take_crl(request, store->configuration(), clock);
                            },
                        .add_decrypt_key =
                            [this](const provision::DecryptKeyPlan& plan, const std::string& who) {
                              return provision::add_decrypt_key(
                                  plan, *snapshot, store->decrypt_keys(), sealer, clock, who);
                            },
                        .check_keys = [this](const ca::Snapshot& wanted) { check_keys(wanted); },
                        .status =
                            [this] {
                              return Status{.version = "1.2.3",
                                            .pid = 42,
                                            .node = store->node(),
                                            .started_at = from_unix_seconds(0),
                                            .configuration = 7,
                                            .aliases = {"est"},
                                            .est_host = "::1",
                                            .est_port = 8443};
                            },
                        .explain = [](const ca::Question&) { return ca::Explanation{}; }};
  std::unique_ptr<ApiRouter> router;
};

}  // namespace estia::api
