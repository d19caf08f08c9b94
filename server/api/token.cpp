// SPDX-License-Identifier: Apache-2.0
#include "server/api/token.h"

#include <algorithm>
#include <utility>

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 4096;

Json key_json(const TokenKeyStatus& key) {
  return {{"key", key.key},
          {"cas", key.cas},
          {"kind", key.kind},
          {"ready", key.ready},
          {"why", text_or_null(key.why)},
          {"attributes", key.attributes},
          {"shortcomings", key.shortcomings}};
}

Json token_json(const TokenStatus& token) {
  Json keys = Json::array();
  for (const TokenKeyStatus& key : token.keys) {
    keys.push_back(key_json(key));
  }
  return {{"name", token.name},
          {"state", token.state},
          {"why", text_or_null(token.why)},
          {"present", token.present},
          {"logged_in", token.logged_in},
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

http::Response activate(const Management& management, const Call& call) {
  JsonObject body = body_of(call.request);
  TokenActivation order{.token = body.optional_text("token").value_or("")};
  if (body.has("pin")) {
    order.pin = body.secret("pin");
  }
  body.finish();
  const std::string name = order.token;
  management.activate_token(std::move(order), call.who);
  const Status status = management.status();
  const auto found = std::ranges::find_if(
      status.tokens, [&](const TokenStatus& token) { return name.empty() || token.name == name; });
  return json_response(token_json(*found));
}

/// Takes nothing that could be signed and gives out no signature: it is no signing oracle.
http::Response probe(const Management& management, const Call& call) {
  body_of(call.request).finish();
  Json keys = Json::array();
  for (const ProvedKey& key : management.probe_token(call.who)) {
    keys.push_back({{"ca", key.ca},
                    {"result", key.id.empty() ? "ok" : key.id},
                    {"reason", text_or_null(key.reason)},
                    {"milliseconds", key.took.count()}});
  }
  // After the signatures, which may have taken up a token that was lost.
  return json_response(
      {{"keys", std::move(keys)}, {"tokens", tokens_json(management.status().tokens)}});
}

}  // namespace

Json tokens_json(const std::vector<TokenStatus>& tokens) {
  Json list = Json::array();
  for (const TokenStatus& token : tokens) {
    list.push_back(token_json(token));
  }
  return list;
}

std::vector<Route> token_routes(const Management& management) {
  return {{"POST",
           {"token", "activate"},
           kBodyLimit,
           [&](const Call& call) { return activate(management, call); }},
          {"POST", {"token", "probe"}, kBodyLimit, [&](const Call& call) {
             return probe(management, call);
           }}};
}

}  // namespace estia::api
