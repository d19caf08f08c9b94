// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace estia::admin {

using Json = nlohmann::ordered_json;

/// The management API of a running estiad, over its Unix socket. One request at a time; the
/// connection stays open in between.
class ManagementClient final {
 public:
  explicit ManagementClient(const std::filesystem::path& socket);
  ~ManagementClient();
  ManagementClient(const ManagementClient&) = delete;
  ManagementClient& operator=(const ManagementClient&) = delete;
  ManagementClient(ManagementClient&&) = delete;
  ManagementClient& operator=(ManagementClient&&) = delete;

  /// `path` begins after "/v1". What estiad refuses is thrown as an Error with its id and text;
  /// Error{busy, "cli.unreachable"} when it does not answer, Error{internal, "cli.answer"} when it
  /// answers something else than JSON.
  [[nodiscard]] Json get(const std::string& path);
  /// The body may hold secrets: it is wiped once it is sent.
  [[nodiscard]] Json send(const char* method, const std::string& path, const Json& body);

 private:
  [[nodiscard]] Json exchange(const char* method, const std::string& path, const std::string* body);

  std::string socket_;
  void* curl_;
};

/// Whether somebody listens on the socket. Throws Error{forbidden, "cli.unreachable"} when this
/// user may not know.
[[nodiscard]] bool answers(const std::filesystem::path& socket);

}  // namespace estia::admin
