// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/open_state.h"

#include <unistd.h>

#include "crypto/base/error.h"
#include "server/app/process_config.h"
#include "server/app/process_guard.h"
#include "server/provision/state_access.h"

namespace estia::admin {
namespace {

/// The lock would make its file in any directory: look first.
const provision::StateLayout& must_be_ours(const provision::StateLayout& layout) {
  if (!std::filesystem::exists(layout.configuration())) {
    throw Error(
        ErrorCode::config, "state.missing",
        layout.configuration().string() + ": no such file; make the directory with estia init");
  }
  provision::check_state_access(layout);
  return layout;
}

}  // namespace

OpenState::OpenState(const std::filesystem::path& directory)
    : layout_(directory), lock_(must_be_ours(layout_)) {
  app::guard_process();
  const app::ProcessConfig config =
      app::load_process_config(layout_.configuration(), layout_.directory());
  store_ = store::Store::open(config.store, clock_);
}

std::string operator_name() {
  return "operator uid " + std::to_string(::getuid());
}

}  // namespace estia::admin
