// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "server/api/management.h"
#include "server/app/process_config.h"
#include "server/http/server.h"

namespace estia::app {

/// The management API on its Unix socket, for this process's own user and those listed. Start and
/// stop from one thread.
class ManagementServer final {
 public:
  /// What `management` refers to outlives this object.
  ManagementServer(const ProcessConfig::ManagementListener& listener, api::Management management);
  ManagementServer(const ManagementServer&) = delete;
  ManagementServer& operator=(const ManagementServer&) = delete;
  ManagementServer(ManagementServer&&) = delete;
  ManagementServer& operator=(ManagementServer&&) = delete;

  /// Throws what http::Server::start throws.
  void start() { server_.start(); }
  [[nodiscard]] bool drain(std::chrono::milliseconds limit) { return server_.drain(limit); }

 private:
  const api::Management management_;  // the routes refer to it
  http::Server server_;
};

}  // namespace estia::app
