// SPDX-License-Identifier: Apache-2.0
#include "server/api/status.h"

#include "server/api/json.h"
#include "server/api/token.h"

namespace estia::api {
namespace {

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
                        {"tokens", tokens_json(status.tokens)},
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

std::vector<Route> status_routes(const Management& management) {
  return {{"GET", {"status"}, 0, [&](const Call&) { return show(management.status()); }}};
}

}  // namespace estia::api
