// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "server/http/server.h"
#include "tests/support/tls_client.h"

namespace estia::http {

/// The server's key and certificate; made once per process.
[[nodiscard]] const TlsIdentity& server_identity();

/// Routes by path; what is not there is 404. Counts what is dispatched.
class TestRouter final : public Router {
 public:
  void get(const std::string& path, std::function<Response(const Request&)> handler);
  void post(const std::string& path, std::size_t limit,
            std::function<Response(const Request&)> handler);
  [[nodiscard]] RouteMatch match(std::string_view method, const std::vector<std::string>& segments,
                                 const PeerInfo& peer) const override;
  [[nodiscard]] int dispatched() const noexcept { return dispatched_; }

 private:
  std::map<std::string, RouteMatch> routes_;  ///< "METHOD /path"
  mutable std::atomic<int> dispatched_{0};
};

[[nodiscard]] Response text(std::string body, int status = 200);
[[nodiscard]] std::string get_request(const std::string& path, const std::string& fields = "");
[[nodiscard]] std::string post_request(const std::string& path, const std::string& body,
                                       const std::string& fields = "");

/// Where a handler waits for its test. Shared: the handler may return after the test has.
struct Gate {
  std::latch entered{1};
  std::latch release{1};

  /// For one handler: the latches count one.
  void pass() {
    entered.count_down();
    release.wait();
  }
};

/// A server on a free port with /hello (GET) and /echo (POST, at most 1000 bytes). What it logs is
/// kept.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest();
  ~ServerTest() override;

  void start();
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  /// The status of the answer to these bytes on a connection of its own.
  [[nodiscard]] int status_of(std::string_view bytes);
  /// GET /slow is answered once the gate is released; that it was entered says it is in flight.
  void add_slow_route();
  /// Stops the server, so that all of its lines are there.
  [[nodiscard]] std::string logged();

  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  Limits limits_;
  ServerConfig config_{};  ///< of a server that start() makes, with these limits
  std::shared_ptr<TestRouter> router_ = std::make_shared<TestRouter>();
  std::unique_ptr<Server> server_;

 private:
  std::ostringstream log_;
};

}  // namespace estia::http
