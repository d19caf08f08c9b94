// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "bench/load.h"
#include "tests/e2e/support/child.h"

namespace estia::bench {

/// What serving costs that nothing can do without: one thread, epoll and OpenSSL, no limits, no
/// deadlines, no log. It speaks TLS by http::TlsContext, so by estiad's settings, and answers any
/// complete GET with bytes that it was given. A process of its own, which ends with this object, so
/// that its CPU is counted as estiad's is.
class BareServer final {
 public:
  /// PEM files of estiad's identity; `folder` is for the files of the process. Throws
  /// std::runtime_error when it cannot be started.
  BareServer(const std::filesystem::path& key, const std::filesystem::path& certificate,
             const std::string& answer, const std::filesystem::path& folder);

  [[nodiscard]] Served served() const { return {.port = port_, .process = child_->pid()}; }

 private:
  std::uint16_t port_ = 0;
  std::unique_ptr<e2e::Child> child_;
};

/// The name by which estia_bench starts itself as that process; no command for people.
inline constexpr const char* kBareServer = "bare-server";
/// What that process does, until it is killed or its parent ends: `arguments` are the inherited
/// listening descriptor, and the files of the key, the certificate and the answer. Throws
/// std::runtime_error.
[[noreturn]] void serve_bare(const std::vector<std::string>& arguments);

}  // namespace estia::bench
