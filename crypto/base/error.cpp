// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/error.h"

#include <utility>

namespace estia {

Error::Error(ErrorCode code, std::string id, const std::string& told_to_peer, std::string detail)
    : std::runtime_error(told_to_peer),
      code_(code),
      id_(std::move(id)),
      detail_(std::move(detail)) {}

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::malformed:
      return "malformed";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::unsupported_media:
      return "unsupported_media";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::too_many:
      return "too_many";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::token:
      return "token";
    case ErrorCode::store:
      return "store";
    case ErrorCode::config:
      return "config";
    case ErrorCode::internal:
      return "internal";
  }
  return "unknown";
}

}  // namespace estia
