// SPDX-License-Identifier: Apache-2.0
#include "server/api/api_router.h"

#include <algorithm>

#include "server/api/json.h"

namespace estia::api {
namespace {

constexpr std::string_view kVersion = "v1";
constexpr int kMethodNotAllowed = 405;

bool fits(const Route& route, const std::vector<std::string>& segments) {
  if (segments.size() != route.path.size() + 1 || segments.front() != kVersion) {
    return false;
  }
  return std::equal(route.path.begin(), route.path.end(), segments.begin() + 1,
                    [](std::string_view pattern, const std::string& segment) {
                      return pattern == "*" ? !segment.empty() : pattern == segment;
                    });
}

bool answers(const Route& route, std::string_view method) {
  return method == route.method || (method == "HEAD" && route.method == "GET");
}

std::vector<std::string> captured(const Route& route, const std::vector<std::string>& segments) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < route.path.size(); ++i) {
    if (route.path[i] == "*") {
      values.push_back(segments[i + 1]);
    }
  }
  return values;
}

http::Response wrong_method(const std::string& allowed) {
  http::Response response = json_response(
      {{"id", "api.method"}, {"error", "this method is not allowed here"}}, kMethodNotAllowed);
  response.headers.add("Allow", allowed);
  response.log_id = "api.method";
  return response;
}

http::Response refuse_peer(const http::PeerInfo& peer) {
  return error_response(Error(ErrorCode::forbidden, "api.peer_uid",
                              "this user may not manage the CA: see listener.management.uids",
                              peer.local ? "uid " + std::to_string(peer.local->uid) : "no uid"));
}

/// `route`: nullptr when there is none for this method.
http::Response answer(const http::Request& request, const Route* route,
                      const std::string& allowed) {
  try {
    if (route == nullptr && allowed.empty()) {
      throw Error(ErrorCode::not_found, "api.unknown", "there is nothing at this path");
    }
    if (route == nullptr) {
      return wrong_method(allowed);
    }
    return route->answer({.request = request,
                          .captured = captured(*route, request.segments),
                          .who = "operator uid " + std::to_string(request.peer.local.value().uid)});
  } catch (const Error& error) {
    return error_response(error);
  }
}

}  // namespace

ApiRouter::ApiRouter(std::vector<Route> routes, std::vector<unsigned> uids)
    : routes_(std::move(routes)), uids_(std::move(uids)) {}

bool ApiRouter::admits(const http::PeerInfo& peer) const noexcept {
  return peer.local && std::find(uids_.begin(), uids_.end(), peer.local->uid) != uids_.end();
}

http::RouteMatch ApiRouter::match(std::string_view method, const std::vector<std::string>& segments,
                                  const http::PeerInfo& peer) const {
  if (!admits(peer)) {
    return {.handler = [](const http::Request& request) { return refuse_peer(request.peer); }};
  }
  const Route* route = nullptr;
  std::string allowed;
  for (const Route& candidate : routes_) {
    if (!fits(candidate, segments)) {
      continue;
    }
    if (answers(candidate, method)) {
      route = &candidate;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(candidate.method) +
               (candidate.method == "GET" ? ", HEAD" : "");
  }
  const std::size_t limit = route == nullptr ? 0 : route->body_limit;
  return {limit > 0, limit, [route, allowed](const http::Request& request) {
            return answer(request, route, allowed);
          }};
}

}  // namespace estia::api
