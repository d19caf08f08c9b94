// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/router.h"

namespace estia::api {

/// One request to the management API, from a user who may use it.
struct Call {
  const http::Request& request;
  std::vector<std::string> captured{};  ///< what stands in place of each "*" of the path
  std::string who{};                    ///< for the audit trail: "operator uid 1000"
};

/// One line of the API: GET also answers HEAD.
struct Route {
  std::string_view method;
  std::vector<std::string_view> path;  ///< below "/v1"; "*" stands for one segment
  std::size_t body_limit = 0;          ///< bytes; 0 = takes none
  std::function<http::Response(const Call&)> answer;
};

/// The management API (docs/management-api.md): a table of routes behind one check of who asks.
/// What a route throws is answered as JSON. Any thread.
class ApiRouter final : public http::Router {
 public:
  /// `uids`: the users of this machine who may use it; anybody else gets 403 "api.peer_uid",
  /// whatever they ask for. What the routes use must outlive the router.
  ApiRouter(std::vector<Route> routes, std::vector<unsigned> uids);

  /// Never throws for what the client sent: an unknown path is answered 404 "api.unknown", a wrong
  /// method 405 "api.method" with Allow. Of a user who may not use it no body is taken.
  [[nodiscard]] http::RouteMatch match(std::string_view method,
                                       const std::vector<std::string>& segments,
                                       const http::PeerInfo& peer) const override;

 private:
  [[nodiscard]] bool admits(const http::PeerInfo& peer) const noexcept;

  const std::vector<Route> routes_;
  const std::vector<unsigned> uids_;
};

}  // namespace estia::api
