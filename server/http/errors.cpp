// SPDX-License-Identifier: Apache-2.0
#include "server/http/router.h"

namespace estia::http {
namespace {

constexpr const char* kRetryAfterSeconds = "10";
/// As long as the back-off's window: an earlier attempt would be refused too.
constexpr const char* kBackOffSeconds = "60";

bool worth_a_retry(ErrorCode code) noexcept {
  return code == ErrorCode::too_many || code == ErrorCode::busy || code == ErrorCode::token ||
         code == ErrorCode::store;
}

/// Errors that are no business of the peer: the operator's configuration, our defects.
bool hidden(ErrorCode code) noexcept {
  return code == ErrorCode::config || code == ErrorCode::internal;
}

}  // namespace

int http_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::malformed:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::unsupported_media:
      return 415;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::too_many:
      return 429;
    case ErrorCode::busy:
    case ErrorCode::token:
    case ErrorCode::store:
      return 503;
    case ErrorCode::config:
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

Response error_response(const Error& error) {
  Response response;
  response.status = http_status(error.code());
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  if (worth_a_retry(error.code())) {
    response.headers.add(
        "Retry-After", error.code() == ErrorCode::too_many ? kBackOffSeconds : kRetryAfterSeconds);
  }
  response.body = (hidden(error.code()) ? std::string("internal error") : error.what()) + "\n";
  response.log_id = error.id();
  response.log_detail =
      hidden(error.code()) ? std::string(error.what()) + ": " + error.detail() : error.detail();
  return response;
}

}  // namespace estia::http
