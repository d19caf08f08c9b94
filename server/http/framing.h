// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/error.h"
#include "server/http/message.h"
#include "server/http/target.h"

namespace estia::http {

/// A request that is not HTTP as this server speaks it. The connection cannot go on after it: where
/// the next request begins is unknown.
class ProtocolError final : public Error {
 public:
  ProtocolError(int status, std::string id, const std::string& told_to_peer);
  [[nodiscard]] int status() const noexcept { return status_; }

 private:
  int status_;
};

struct HeadLimits {
  std::size_t bytes = 16U << 10U;
  std::size_t fields = 64;
};

/// A request line and header that mean one thing only (RFC 9112).
struct Head {
  std::string method;
  TargetParts target;
  Headers headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expects_continue = false;
  bool close = false;  ///< the client cannot or will not keep the connection

  [[nodiscard]] bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

/// The length of the empty lines in front of a request; clients send them after a body (RFC 9112
/// 2.2, docs/clients.md). A lone CR at the end is left.
[[nodiscard]] std::size_t leading_empty_lines(std::string_view input) noexcept;

/// The length of the head at the front of `input`, with the empty line that ends it; nullopt when
/// it is not complete. `scanned` is where to go on when more has come; begin with 0. Throws
/// ProtocolError for a bare LF (400) and for a head over the limit (431).
[[nodiscard]] std::optional<std::size_t> find_head(std::string_view input, std::size_t& scanned,
                                                   const HeadLimits& limits);

/// Parses what find_head found. Throws ProtocolError 400, 414, 417, 431, 501, 505.
[[nodiscard]] Head parse_head(std::string_view text, const HeadLimits& limits);

}  // namespace estia::http
