// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/support/load_log.h"

namespace estia::fault {

/// Clients that enrol one new device after another, each over its own connection as long as it
/// holds; when the server says that it closes one, over another. When one breaks they wait for the
/// server's next life; then every second one repeats the request it has no answer to, as a device
/// would, and the others give it up.
class Load final {
 public:
  enum class Refused {
    waits,    ///< for the server's next life
    goes_on,  ///< with another device, a moment later
  };
  /// `account` as "user:password".
  Load(std::size_t clients, const std::string& account, Refused refused = Refused::waits);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  Load(Load&&) = delete;
  Load& operator=(Load&&) = delete;

  /// The server's next life accepts at this port of the loopback interface. Returns its number.
  int open(const std::string& port);
  /// Ends the clients after what they are doing. Throws std::runtime_error when a client ended by
  /// itself.
  void finish();
  [[nodiscard]] LoadLog& log() noexcept { return log_; }

 private:
  struct Server {
    std::uint16_t port = 0;
    int life = 0;
  };

  struct Request;
  class Devices;
  /// Of a connection.
  enum class End {
    broken,   ///< or never opened
    closed,   ///< as the server said before
    refused,  ///< the client waits (Refused::waits)
  };

  void run_client(std::size_t index);
  /// `request` is the one to begin with, and the one without an answer in the end, if there is one.
  [[nodiscard]] End use_connection(const Server& server, Devices& devices, Request& request);
  /// The server's first life after `last`; nullopt at the end.
  [[nodiscard]] std::optional<Server> wait_for_server(int last);
  [[nodiscard]] bool ending();

  const std::string authorization_;
  const Refused refused_;
  LoadLog log_;
  std::mutex mutex_;  // guards the three below
  std::condition_variable changed_;
  Server server_;
  bool ending_ = false;
  std::string defect_;
  std::vector<std::thread> clients_;
};

}  // namespace estia::fault
