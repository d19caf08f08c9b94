// SPDX-License-Identifier: Apache-2.0
#include "server/api/tls.h"

#include "server/api/certificate_json.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 4096;

http::Response reload(const Management& management, const Call& call) {
  body_of(call.request).finish();
  return json_response(certificate_json(management.reload_tls(call.who)));
}

}  // namespace

std::vector<Route> tls_routes(const Management& management) {
  return {
      {"GET",
       {"tls"},
       0,
       [&](const Call&) { return json_response(certificate_json(management.tls_certificate())); }},
      {"POST",
       {"tls", "reload"},
       kBodyLimit,
       [&](const Call& call) { return reload(management, call); }},
  };
}

}  // namespace estia::api
