// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/state_token.h"

#include "crypto/base/error.h"
#include "server/ca/audit.h"

namespace estia::admin {
namespace {

app::ProcessConfig::Token token_named(const std::string& name,
                                      const std::filesystem::path& directory) {
  const provision::StateLayout layout(directory);
  app::ProcessConfig config = app::load_process_config(layout.configuration(), layout.directory());
  if (name == app::ProcessConfig::kMainToken) {
    return config.token;
  }
  const auto found = config.tokens.find(name);
  if (found == config.tokens.end()) {
    throw Error(ErrorCode::not_found, "token.unknown",
                layout.configuration().string() + " names no token '" + name + "'");
  }
  return found->second;
}

}  // namespace

StateToken::StateToken(const std::filesystem::path& directory, const std::string& name)
    : state_(directory),
      name_(name.empty() ? app::ProcessConfig::kMainToken : name),
      token_(token_named(name_, directory)) {}

void StateToken::audit(const std::string& what, const std::string& detail) {
  state_.store().audit_log().append({.at = state_.clock().now(),
                                     .who = operator_name(),
                                     .what = what,
                                     .outcome = "ok",
                                     .object = "token/" + name_,
                                     .detail = detail});
}

}  // namespace estia::admin
