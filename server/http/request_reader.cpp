// SPDX-License-Identifier: Apache-2.0
#include "server/http/request_reader.h"

#include <openssl/crypto.h>

#include <array>
#include <exception>
#include <utility>

namespace estia::http {
namespace {

/// Of empty lines before a request: some clients send one after a body.
constexpr std::size_t kMostSkipped = 64;
/// Of a buffer, between two requests.
constexpr std::size_t kKeptIdle = 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

[[noreturn]] void too_late(bool header) {
  if (header) {
    throw ProtocolError(408, "http.header_deadline", "the request's header took too long");
  }
  throw ProtocolError(408, "http.body_deadline", "the request's body took too long");
}

}  // namespace

RequestReader::Progress RequestReader::advance(const PeerInfo& peer) {
  try {
    while (!step(peer)) {
      const Progress progress = read_on();
      if (progress != Progress::complete) {
        return progress;
      }
    }
  } catch (const ProtocolError&) {
    received_.request.peer = peer;
    complete_refused(std::current_exception(), true);
  }
  return gone_ ? Progress::gone : Progress::complete;
}

/// Complete: there is more in the buffer.
RequestReader::Progress RequestReader::read_on() {
  const bool begun = state_ != State::idle;
  if (skipped_ > kMostSkipped) {
    return Progress::gone;  // who sends empty lines without end would keep us here
  }
  // A sender whose next byte is always there never makes us wait.
  if (begun && std::chrono::steady_clock::now() >= deadline_) {
    too_late(state_ == State::head);
  }
  std::array<char, 16384> chunk;
  const IoResult result = stream_.read(chunk);
  if (result.status == IoStatus::done) {
    keep(std::span(chunk).first(result.size));
    return Progress::complete;
  }
  if (result.status == IoStatus::wait) {
    return begun ? Progress::partial : Progress::idle;
  }
  if (state_ == State::counted_body || state_ == State::chunked_body) {
    throw ProtocolError(400, "http.body_truncated", "the request's body ended too early");
  }
  return Progress::gone;
}

void RequestReader::keep(std::span<char> received) {
  append_secret(buffer_, {received.data(), received.size()});
  ::OPENSSL_cleanse(received.data(), received.size());
}

void RequestReader::consume(std::size_t size) {
  if (size == 0) {
    return;
  }
  std::string rest(buffer_, size);
  cleanse(buffer_);
  if (rest.empty()) {
    buffer_.clear();
  } else {
    buffer_.swap(rest);
  }
}

/// Takes what the buffer has; true once a request is complete.
bool RequestReader::step(const PeerInfo& peer) {
  if (state_ == State::idle) {
    const std::size_t empty = leading_empty_lines(buffer_);
    skipped_ += empty;
    consume(empty);
    if (buffer_.empty() && buffer_.capacity() > kKeptIdle) {
      std::string().swap(buffer_);
    }
    if (buffer_.empty() || buffer_ == "\r") {
      return false;
    }
    skipped_ = 0;
    state_ = State::head;
    scanned_ = 0;
    deadline_ = after(limits_.header);
  }
  if (state_ == State::head && !read_head(peer)) {
    return false;
  }
  switch (state_) {
    case State::counted_body:
      return read_counted();
    case State::chunked_body:
      return read_chunked();
    case State::complete:
      return true;
    case State::idle:
    case State::head:
      break;
  }
  return false;
}

bool RequestReader::read_head(const PeerInfo& peer) {
  const HeadLimits limits{limits_.header_bytes, limits_.header_fields};
  const auto size = find_head(buffer_, scanned_, limits);
  if (!size) {
    return false;
  }
  const Head head = parse_head(std::string_view(buffer_).substr(0, *size), limits);
  consume(*size);
  route(head, peer);
  return true;
}

void RequestReader::route(const Head& head, const PeerInfo& peer) {
  received_ = {.request = {}, .handler = {}, .close = head.close};
  Request& request = received_.request;
  request.method = head.method;
  request.path = head.target.path;
  request.segments = head.target.segments;
  request.query = head.target.query;
  request.headers = head.headers;
  request.peer = peer;
  try {
    RouteMatch match = router_.match(head.method, head.target.segments, peer);
    state_ = State::complete;
    received_.route = match.route;
    if (match.takes_body) {
      await_body(head, match);
    }
    // A body that nobody takes is not read: it goes with the connection.
    received_.close = received_.close || (!match.takes_body && head.has_body());
    received_.handler = std::move(match.handler);
  } catch (const ProtocolError&) {
    complete_refused(std::current_exception(), true);
  } catch (const Error&) {
    complete_refused(std::current_exception(), head.has_body());
  } catch (...) {
    complete_refused(std::current_exception(), true);
  }
}

void RequestReader::await_body(const Head& head, const RouteMatch& match) {
  if (!head.chunked && !head.content_length) {
    throw ProtocolError(411, "http.length_required", "this request needs a Content-Length");
  }
  if (head.content_length.value_or(0) > match.body_limit) {
    throw ProtocolError(413, "http.body_too_large", "the request's body is too large");
  }
  // No invitation to a client that has begun already (RFC 9110 10.1.1).
  if (head.expects_continue && head.has_body() && buffer_.empty() &&
      stream_.write(kContinue).size != kContinue.size()) {
    gone_ = true;  // a part of it may have left: nothing can follow
    throw ProtocolError(400, "http.body_truncated", "the request's body ended too early");
  }
  deadline_ = after(limits_.body);
  if (head.chunked) {
    chunked_.emplace(match.body_limit, limits_.header_bytes);
    state_ = State::chunked_body;
  } else {
    missing_ = static_cast<std::size_t>(*head.content_length);
    state_ = State::counted_body;
  }
}

bool RequestReader::read_counted() {
  if (buffer_.size() < missing_) {
    return false;
  }
  received_.request.body = buffer_.substr(0, missing_);
  consume(missing_);
  state_ = State::complete;
  return true;
}

bool RequestReader::read_chunked() {
  consume(chunked_->feed(buffer_));
  if (!chunked_->complete()) {
    return false;
  }
  received_.request.body = chunked_->take();
  chunked_.reset();
  state_ = State::complete;
  return true;
}

/// What went wrong before dispatch is thrown where every other failure is: under the adapter's one
/// catch.
void RequestReader::complete_refused(std::exception_ptr reason, bool close) {
  received_.close = received_.close || close;
  received_.handler = [reason = std::move(reason)](const Request&) -> Response {
    std::rethrow_exception(reason);
  };
  chunked_.reset();
  state_ = State::complete;
}

void RequestReader::refuse(const Error& reason, bool close) {
  if (close) {
    drop();
    std::string().swap(received_.request.body);
  }
  complete_refused(std::make_exception_ptr(reason), close);
}

ReceivedRequest RequestReader::take() {
  state_ = State::idle;
  return std::exchange(received_, {});
}

}  // namespace estia::http
