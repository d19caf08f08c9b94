// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/state_token.h"

#include "server/app/process_config.h"
#include "server/ca/audit.h"

namespace estia::admin {

StateToken::StateToken(const std::filesystem::path& directory) : state_(directory) {
  const provision::StateLayout layout(directory);
  const app::ProcessConfig::Token token =
      app::load_process_config(layout.configuration(), layout.directory()).token;
  module_ = token.module;
  init_args_ = token.init_args;
  label_ = token.label;
  serial_ = token.serial;
  pin_file_ = token.pin_file;
  pin_marker_ = token.pin_marker;
}

void StateToken::audit(const std::string& what, const std::string& detail) {
  state_.store().audit_log().append({.at = state_.clock().now(),
                                     .who = operator_name(),
                                     .what = what,
                                     .outcome = "ok",
                                     .object = "token",
                                     .detail = detail});
}

}  // namespace estia::admin
