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

}  // namespace

ApiRouter::ApiRouter(std::vector<Route> routes, std::vector<unsigned> uids)
    : routes_(std::move(routes)), uids_(std::move(uids)) {}

http::RouteMatch ApiRouter::match(std::string_view method,
                                  const std::vector<std::string>& segments) const {
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
  return {limit > 0, limit, [this, route, allowed](const http::Request& request) {
            return answer(request, route, allowed);
          }};
}

http::Response ApiRouter::answer(const http::Request& request, const Route* route,
                                 const std::string& allowed) const {
  try {
    const std::optional<http::LocalPeer>& peer = request.peer.local;
    if (!peer || std::find(uids_.begin(), uids_.end(), peer->uid) == uids_.end()) {
      throw Error(ErrorCode::forbidden, "api.peer_uid",
                  "this user may not manage the CA: see listener.management.uids",
                  peer ? "uid " + std::to_string(peer->uid) : "no uid");
    }
    if (route == nullptr && allowed.empty()) {
      throw Error(ErrorCode::not_found, "api.unknown", "there is nothing at this path");
    }
    if (route == nullptr) {
      return wrong_method(allowed);
    }
    return route->answer({.request = request,
                          .captured = captured(*route, request.segments),
                          .who = "operator uid " + std::to_string(peer->uid)});
  } catch (const Error& error) {
    return error_response(error);
  }
}

}  // namespace estia::api
