// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/error.h"
#include "server/http/message.h"

namespace estia::http {

/// What the transport and adapter must know about a request before its body is read.
struct RouteMatch {
  bool takes_body = false;
  std::size_t body_limit = 0;                       ///< bytes; above: 413 from the header alone
  std::function<Response(const Request&)> handler;  ///< called from a worker, concurrently
  std::string_view route{};  ///< what metrics call it: a text of the program's own, for ever
};

/// Decides from method, path and peer, before any body is read. Throws Error for what is not served
/// (unknown alias: malformed/400, unknown operation: 404); a wrong method is answered by a
/// RouteMatch whose handler gives 405 + Allow.
class Router {
 public:
  virtual ~Router() = default;
  [[nodiscard]] virtual RouteMatch match(std::string_view method,
                                         const std::vector<std::string>& segments,
                                         const PeerInfo& peer) const = 0;
};

/// The only mapping of error categories to HTTP (EST-4.2.3-b; docs/conformance.md).
[[nodiscard]] int http_status(ErrorCode code) noexcept;
/// text/plain answer for an error: status, what(), Retry-After for busy/token/store/too_many.
[[nodiscard]] Response error_response(const Error& error);

}  // namespace estia::http
