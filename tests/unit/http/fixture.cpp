// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/http/fixture.h"

#include <csignal>

#include "crypto/base/error.h"
#include "server/ops/log.h"

namespace estia::http {

const TlsIdentity& server_identity() {
  static const TlsIdentity ca = test::make_tls_identity("CN=issuer of the server");
  static const TlsIdentity identity =
      test::make_tls_identity("CN=localhost", std::chrono::hours(24), &ca);
  return identity;
}

void TestRouter::get(const std::string& path, std::function<Response(const Request&)> handler) {
  routes_["GET " + path] = routes_["HEAD " + path] = {false, 0, std::move(handler)};
}

void TestRouter::post(const std::string& path, std::size_t limit,
                      std::function<Response(const Request&)> handler) {
  routes_["POST " + path] = {true, limit, std::move(handler)};
}

RouteMatch TestRouter::match(std::string_view method, const std::vector<std::string>& segments,
                             const PeerInfo& /*peer*/) const {
  std::string name(method);
  name += ' ';
  for (const std::string& segment : segments) {
    name += "/" + segment;
  }
  const auto found = routes_.find(name);
  if (found == routes_.end()) {
    throw Error(ErrorCode::not_found, "route.unknown", "no such operation");
  }
  RouteMatch match = found->second;
  match.handler = [this, handler = found->second.handler](const Request& request) {
    ++dispatched_;
    return handler(request);
  };
  return match;
}

Response text(std::string body, int status) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

std::string get_request(const std::string& path, const std::string& fields) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

std::string post_request(const std::string& path, const std::string& body,
                         const std::string& fields) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}

ServerTest::ServerTest() {
  std::signal(SIGPIPE, SIG_IGN);
  ops::set_up_log(ops::Level::debug, log_);
  router_->get("/hello", [](const Request&) { return text("hello"); });
  router_->post("/echo", 1000, [](const Request& request) { return text(request.body); });
}

ServerTest::~ServerTest() {
  server_.reset();
  ops::set_up_log(ops::Level::info);
}

void ServerTest::start() {
  config_.limits = limits_;
  server_ = std::make_unique<Server>(config_, server_identity(), router_);
  server_->start();
}

int ServerTest::status_of(std::string_view bytes) {
  test::TlsClient client(port());
  client.send(bytes);
  return client.read_answer().status;
}

void ServerTest::add_slow_route() {
  router_->get("/slow", [gate = gate_](const Request&) {
    gate->pass();
    return text("slow");
  });
}

std::string ServerTest::logged() {
  server_.reset();
  return log_.str();
}

}  // namespace estia::http
