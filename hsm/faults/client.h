// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace estia::hsm::faults {

struct Answer {
  bool ok = false;
  std::string text;  ///< the lines before "ok", or what follows "error: "
};

/// A connection to a module that takes orders. One thread at a time.
class Client final {
 public:
  /// Throws std::runtime_error when nobody listens there.
  explicit Client(const std::filesystem::path& socket);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&&) = delete;
  Client& operator=(Client&&) = delete;

  /// Gives one order, a line without its end, and waits for the answer however long that takes.
  /// Throws std::runtime_error when the connection breaks before it.
  [[nodiscard]] Answer ask(std::string_view order);

 private:
  [[nodiscard]] std::string read_line();

  int connection_ = -1;
  std::string buffered_;
};

}  // namespace estia::hsm::faults
