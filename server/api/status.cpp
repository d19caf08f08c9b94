// SPDX-License-Identifier: Apache-2.0
#include "server/api/status.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 4096;

http::Response activate(const Management& management, const Call& call) {
  body_of(call.request).finish();
  management.activate_token(call.who);
  return json_response(token_json(management.status().token));
}

http::Response show(const Status& status) {
  const ServerKeygenStatus& keys = status.serverkeygen;
  return json_response({{"version", status.version},
                        {"pid", status.pid},
                        {"node", status.node},
                        {"started_at", utc_text(status.started_at)},
                        {"configuration", status.configuration},
                        {"aliases", status.aliases},
                        {"est", {{"host", status.est_host}, {"port", status.est_port}}},
                        {"store",
                         {{"commits", status.store_commits},
                          {"failures", status.store_failures},
                          {"queued", status.store_queued},
                          {"failed", status.store_failed}}},
                        {"token", token_json(status.token)},
                        {"serverkeygen",
                         {{"mechanism", text_or_null(keys.mechanism)},
                          {"wrapping_key", text_or_null(keys.wrapping_key)},
                          {"hsm_wrapped", text_or_null(keys.hsm_wrapped)},
                          {"ed25519", keys.ed25519},
                          {"refused", text_or_null(keys.refused)},
                          {"running", keys.running},
                          {"stock", keys.stock},
                          {"stock_failure", text_or_null(keys.stock_failure)},
                          {"delivered", keys.delivered},
                          {"destroyed", keys.destroyed}}}});
}

}  // namespace

Json token_json(const TokenStatus& token) {
  Json keys = Json::array();
  for (const TokenKeyName& key : token.keys) {
    keys.push_back({{"ca", key.ca}, {"uri", key.uri}});
  }
  return {{"state", token.state},
          {"why", text_or_null(token.why)},
          {"label", token.label},
          {"serial", token.serial},
          {"sessions",
           {{"open", token.sessions_open},
            {"in_use", token.sessions_in_use},
            {"most", token.sessions_cap}}},
          {"recoveries",
           {{"new_session", token.new_sessions},
            {"new_login", token.logins},
            {"restart_module", token.restarts}}},
          {"keys", std::move(keys)}};
}

std::vector<Route> status_routes(const Management& management) {
  return {{"GET", {"status"}, 0, [&](const Call&) { return show(management.status()); }},
          {"POST", {"token", "activate"}, kBodyLimit, [&](const Call& call) {
             return activate(management, call);
           }}};
}

}  // namespace estia::api
