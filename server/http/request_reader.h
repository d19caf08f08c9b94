// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "server/http/framing.h"
#include "server/http/server.h"
#include "server/http/stream.h"

namespace estia::http {

/// A request with its whole body and who answers it. The handler of a request that is refused
/// before dispatch throws the refusal, so that every answer takes the same way out.
struct ReceivedRequest {
  Request request;
  std::function<Response(const Request&)> handler;
  bool close = false;  ///< the connection cannot go on after the answer
};

/// Takes requests off one connection, strictly (RFC 9112). The route is asked before the
/// body is read: its limit decides 413 from the header alone. One thread at a time.
class RequestReader final {
 public:
  /// All three outlive the reader.
  RequestReader(Stream& stream, const Router& router, const Limits& limits) noexcept
      : stream_(stream), router_(router), limits_(limits) {}

  /// Waits for the first byte of a request; empty lines are none. `data` once it is there.
  [[nodiscard]] ReadStatus await(Deadline deadline);
  /// The request of `peer` that begins with that byte; nullopt when the client left before its
  /// header was complete, so that there is nobody to answer.
  [[nodiscard]] std::optional<ReceivedRequest> read(const PeerInfo& peer);

 private:
  ReadStatus fill(Deadline deadline);
  std::optional<Head> read_head();
  ReceivedRequest route(Head head, const PeerInfo& peer);
  void read_body(const Head& head, const RouteMatch& match, std::string& body);
  void invite_body(const Head& head, Deadline deadline);
  std::string read_counted(std::uint64_t size, Deadline deadline);
  std::string read_chunked(std::size_t limit, Deadline deadline);
  void need_more(Deadline deadline);

  Stream& stream_;
  const Router& router_;
  const Limits& limits_;
  std::string buffer_;  ///< received, not yet taken; may hold the next request already
};

}  // namespace estia::http
