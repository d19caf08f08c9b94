// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/state_token.h"

#include "crypto/base/error.h"
#include "server/ca/audit.h"

namespace estia::admin {
namespace {

app::ProcessConfig config_of(const std::filesystem::path& directory) {
  const provision::StateLayout layout(directory);
  return app::load_process_config(layout.configuration(), layout.directory());
}

const app::ProcessConfig::Token& token_named(const std::string& name,
                                             const app::ProcessConfig& config) {
  if (name == app::ProcessConfig::kMainToken) {
    return config.token;
  }
  const auto found = config.tokens.find(name);
  if (found == config.tokens.end()) {
    throw Error(ErrorCode::not_found, "token.unknown",
                config.file.string() + " names no token '" + name + "'");
  }
  return found->second;
}

}  // namespace

StateToken::StateToken(const std::filesystem::path& directory, const std::string& name)
    : state_(directory),
      name_(name.empty() ? app::ProcessConfig::kMainToken : name),
      config_(config_of(directory)),
      token_(token_named(name_, config_)) {}

void StateToken::audit(const std::string& what, const std::string& outcome,
                       const std::vector<std::string>& details) {
  std::vector<ca::AuditEvent> events;
  for (const std::string& detail : details) {
    events.push_back({.at = state_.clock().now(),
                      .who = operator_name(),
                      .what = what,
                      .outcome = outcome,
                      .object = "token/" + name_,
                      .detail = detail});
  }
  state_.store().audit_log().append(events);
}

}  // namespace estia::admin
