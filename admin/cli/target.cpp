// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/target.h"

#include "admin/cli/management_client.h"
#include "admin/cli/remote_backend.h"
#include "crypto/base/error.h"

namespace estia::admin {

void Target::add_to(CLI::App& command, bool works_offline) {
  command.add_option("--state", state_,
                     works_offline ? "State directory; estiad may run or be stopped"
                                   : "State directory of the running estiad");
  command.add_option("--socket", socket_,
                     "Management socket of the running estiad, if not DIR/management/socket");
}

std::filesystem::path Target::socket() const {
  if (state_.empty() && socket_.empty()) {
    throw CLI::RequiredError("--state or --socket");
  }
  return std::filesystem::absolute(socket_.empty() ? state_ / "management" / "socket" : socket_)
      .lexically_normal();
}

std::filesystem::path Target::running() const {
  const std::filesystem::path path = socket();
  if (!answers(path)) {
    throw Error(ErrorCode::conflict, "cli.not_running",
                "estiad does not answer on " + path.string() + "; does it run?");
  }
  return path;
}

std::optional<std::filesystem::path> Target::stopped() const {
  return socket_.empty() && !answers(socket()) ? std::optional(state_) : std::nullopt;
}

std::unique_ptr<Backend> Target::backend(const OpenOffline& offline) const {
  if (const auto state = stopped()) {
    return offline(*state);
  }
  return std::make_unique<RemoteBackend>(running());
}

}  // namespace estia::admin
