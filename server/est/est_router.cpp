// SPDX-License-Identifier: Apache-2.0
#include "server/est/est_router.h"

#include <algorithm>
#include <array>

#include "crypto/base/error.h"

namespace estia::est {
namespace {

constexpr std::string_view kDefaultAlias = "est";
constexpr std::size_t kCsrBodyLimit = 64U << 10U;  // EST-6-d

constexpr std::array<std::string_view, 6> kOperations{"cacerts", "simpleenroll", "simplereenroll",
                                                      "fullcmc", "serverkeygen", "csrattrs"};
constexpr std::array<std::string_view, 6> kExtensions{"pal",  "eecerts",       "crls",
                                                      "tamp", "symmetrickeys", "firmware"};
constexpr std::array<std::string_view, 9> kKnownMethods{
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view name) noexcept {
  return std::find(list.begin(), list.end(), name) != list.end();
}

[[noreturn]] void refuse_unknown() {
  throw Error(ErrorCode::not_found, "route.unknown", "no such operation");
}

/// What follows "/.well-known/est/": an alias, if the path names one, and the operation.
struct Parts {
  std::string_view alias = kDefaultAlias;
  std::string_view operation;
};

Parts split(const std::vector<std::string>& segments, const ca::Snapshot& snapshot) {
  if (segments.size() < 3 || segments.size() > 4 || segments[0] != ".well-known" ||
      segments[1] != "est") {
    refuse_unknown();
  }
  if (segments.size() == 3) {
    return {kDefaultAlias, segments[2]};
  }
  if (is_reserved_operation(segments[2])) {
    refuse_unknown();
  }
  if (snapshot.find_alias(segments[2]) == nullptr) {
    throw Error(ErrorCode::malformed, "route.unknown_alias", "unknown label");
  }
  return {segments[2], segments[3]};
}

http::RouteMatch plain_answer(int status, std::string id, std::string text, std::string allow) {
  http::Response response;
  response.status = status;
  response.log_id = std::move(id);
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  if (!allow.empty()) {
    response.headers.add("Allow", std::move(allow));
  }
  response.body = std::move(text);
  return {false, 0, [response](const http::Request&) { return response; }};
}

std::string joined(const std::vector<std::string_view>& methods) {
  std::string text;
  for (const std::string_view method : methods) {
    text += (text.empty() ? "" : ", ") + std::string(method);
  }
  return text;
}

}  // namespace

bool is_reserved_operation(std::string_view name) noexcept {
  return contains(kOperations, name) || contains(kExtensions, name);
}

EstRouter::EstRouter(const ca::SnapshotSource& snapshots, CaCertificates& ca_certificates,
                     Enroll& enroll, RefusalAudit& refusals)
    : snapshots_(snapshots),
      refusals_(refusals),
      rows_{
          {"cacerts",
           {"GET", "HEAD"},
           0,
           [&](const Target& target, const http::Request& request) {
             return ca_certificates.answer(target, request);
           }},
          {"simpleenroll",
           {"POST"},
           kCsrBodyLimit,
           [&](const Target& target, const http::Request& request) {
             return enroll.answer(target, ca::Operation::simpleenroll, request);
           }},
          {"simplereenroll",
           {"POST"},
           kCsrBodyLimit,
           [&](const Target& target, const http::Request& request) {
             return enroll.answer(target, ca::Operation::simplereenroll, request);
           }},
          {"serverkeygen",
           {"POST"},
           kCsrBodyLimit,
           [&](const Target& target, const http::Request& request) {
             return enroll.answer(target, ca::Operation::serverkeygen, request);
           },
           [](const ca::Alias& alias) { return alias.makes_keys(); }},  // EST-4.4-a
      } {}

const EstRouter::Row& EstRouter::row_of(std::string_view operation, const ca::Alias* alias) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const Row& row) { return row.operation == operation; });
  if (found == rows_.end() || alias == nullptr || (found->served && !found->served(*alias))) {
    refuse_unknown();
  }
  return *found;
}

// The body may take its time: a request is judged by the configuration that is in force when all of
// it is here, not by the one of its first line.
Target EstRouter::target_of(const http::Request& request) const {
  Target target{snapshots_.current(), nullptr};
  const Parts parts = split(request.segments, *target.snapshot);
  target.alias = target.snapshot->find_alias(parts.alias);
  static_cast<void>(row_of(parts.operation, target.alias));
  return target;
}

http::RouteMatch EstRouter::match(std::string_view method, const std::vector<std::string>& segments,
                                  const http::PeerInfo& peer) const {
  // The path is not in it: it is the client's text.
  return recorded(peer, [&] { return find(method, segments); });
}

http::RouteMatch EstRouter::find(std::string_view method,
                                 const std::vector<std::string>& segments) const {
  const auto snapshot = snapshots_.current();
  const Parts parts = split(segments, *snapshot);
  const Row& row = row_of(parts.operation, snapshot->find_alias(parts.alias));
  if (!contains(kKnownMethods, method)) {
    return plain_answer(501, "route.unknown_method", "this method is not implemented\n", "");
  }
  if (std::find(row.methods.begin(), row.methods.end(), method) == row.methods.end()) {
    return plain_answer(405, "route.wrong_method", "this method is not allowed here\n",
                        joined(row.methods));
  }
  return {row.body_limit > 0, row.body_limit,
          [this, &row](const http::Request& request) {
            const Target target = recorded(request.peer, [&] { return target_of(request); });
            return row.answer(target, request);
          },
          row.operation};
}

}  // namespace estia::est
