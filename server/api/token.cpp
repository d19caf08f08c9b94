// SPDX-License-Identifier: Apache-2.0
#include "server/api/token.h"

#include <utility>

#include "server/api/status.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 4096;

/// Takes nothing that could be signed and gives out no signature: it is no signing oracle.
http::Response probe(const Management& management, const Call& call) {
  body_of(call.request).finish();
  const TokenTrialReport report = management.probe_token(call.who);
  Json keys = Json::array();
  for (const ProvedKey& key : report.keys) {
    keys.push_back({{"ca", key.ca},
                    {"result", key.id.empty() ? "ok" : key.id},
                    {"reason", text_or_null(key.reason)},
                    {"milliseconds", key.took.count()}});
  }
  return json_response({{"present", report.present},
                        {"logged_in", report.logged_in},
                        {"keys", std::move(keys)},
                        {"token", token_json(management.status().token)}});
}

}  // namespace

std::vector<Route> token_routes(const Management& management) {
  return {{"POST", {"token", "probe"}, kBodyLimit, [&](const Call& call) {
             return probe(management, call);
           }}};
}

}  // namespace estia::api
