// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "crypto/base/secret.h"
#include "server/http/chunked.h"
#include "server/http/framing.h"
#include "server/http/server.h"
#include "server/http/stream.h"

namespace estia::http {

/// A request with its whole body and who answers it. The handler of a request that is refused
/// before dispatch throws the refusal, so that every answer takes the same way out.
struct ReceivedRequest {
  Request request;
  std::function<Response(const Request&)> handler;
  bool close = false;        ///< the connection cannot go on after the answer
  std::string_view route{};  ///< RouteMatch::route
};

/// Takes requests off one connection, strictly (RFC 9112), as their bytes come: it never waits. The
/// route is asked before the body is read: its limit decides 413 from the header alone. One thread
/// at a time.
class RequestReader final {
 public:
  /// All three outlive the reader.
  RequestReader(Stream& stream, const Router& router, const Limits& limits) noexcept
      : stream_(stream), router_(router), limits_(limits) {}
  ~RequestReader() { cleanse(buffer_); }
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;
  RequestReader(RequestReader&&) = delete;
  RequestReader& operator=(RequestReader&&) = delete;

  enum class Progress {
    idle,      ///< no byte of a request yet; empty lines are none
    partial,   ///< a request has begun; deadline() says how long the rest may take
    complete,  ///< take() it
    gone,      ///< the client left, and there is nobody to answer
  };
  /// Reads what is there. A request of `peer` that is refused, or whose deadline has passed, is
  /// complete.
  [[nodiscard]] Progress advance(const PeerInfo& peer);
  /// Of what is partial.
  [[nodiscard]] Deadline deadline() const noexcept { return deadline_; }
  /// Once it is complete. Both.
  [[nodiscard]] const ReceivedRequest& received() const noexcept { return received_; }
  [[nodiscard]] ReceivedRequest take();

  /// Of the request that has begun, and what else has come.
  [[nodiscard]] std::size_t buffered() const noexcept {
    return buffer_.capacity() + received_.request.body.size() +
           (chunked_ ? chunked_->size() : std::size_t{0});
  }
  /// Nothing that has come is wanted any more.
  void drop() {
    cleanse(buffer_);
    std::string().swap(buffer_);
    chunked_.reset();
  }
  /// Gives up the request that has begun: it is complete, and refused by `reason`. Without `close`
  /// it must have been complete.
  void refuse(const Error& reason, bool close);

 private:
  enum class State { idle, head, counted_body, chunked_body, complete };

  [[nodiscard]] Progress read_on();
  void keep(std::span<char> received);
  void consume(std::size_t size);
  [[nodiscard]] bool step(const PeerInfo& peer);
  [[nodiscard]] bool read_head(const PeerInfo& peer);
  void route(const Head& head, const PeerInfo& peer);
  void await_body(const Head& head, const RouteMatch& match);
  [[nodiscard]] bool read_counted();
  [[nodiscard]] bool read_chunked();
  void complete_refused(std::exception_ptr reason, bool close);

  Stream& stream_;
  const Router& router_;
  const Limits& limits_;
  /// Received, not yet taken; may hold the next request already. What it has held is wiped: a
  /// password or a PIN may have been in it.
  std::string buffer_;
  State state_ = State::idle;
  bool gone_ = false;
  Deadline deadline_{};
  std::size_t skipped_ = 0;               ///< of empty lines before the request
  std::size_t scanned_ = 0;               ///< of the head
  std::size_t missing_ = 0;               ///< of a counted body
  std::optional<ChunkedBody> chunked_{};  ///< while one is read
  ReceivedRequest received_{};            ///< what is being read
};

}  // namespace estia::http
