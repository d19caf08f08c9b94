// SPDX-License-Identifier: Apache-2.0
#include "server/http/request_reader.h"

#include <array>
#include <exception>

#include "server/http/chunked.h"

namespace estia::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// What went wrong before dispatch is thrown where every other failure is: under the adapter's one
/// catch.
void refuse_with_current_exception(ReceivedRequest& received, bool close) {
  received.close = received.close || close;
  received.handler = [reason = std::current_exception()](const Request&) -> Response {
    std::rethrow_exception(reason);
  };
}

}  // namespace

ReadStatus RequestReader::fill(Deadline deadline) {
  // A sender whose next byte is always there never makes us wait.
  if (std::chrono::steady_clock::now() >= deadline) {
    return ReadStatus::timed_out;
  }
  std::array<char, 16384> chunk;
  const ReadResult result = stream_.read(chunk, deadline);
  if (result.status == ReadStatus::data) {
    buffer_.append(chunk.data(), result.size);
  }
  return result.status;
}

ReadStatus RequestReader::await(Deadline deadline) {
  for (;;) {
    buffer_.erase(0, leading_empty_lines(buffer_));
    if (!buffer_.empty() && buffer_ != "\r") {
      return ReadStatus::data;
    }
    const ReadStatus status = fill(deadline);
    if (status != ReadStatus::data) {
      return status;
    }
  }
}

std::optional<ReceivedRequest> RequestReader::read(const PeerInfo& peer) {
  try {
    std::optional<Head> head = read_head();
    if (!head) {
      return std::nullopt;
    }
    return route(std::move(*head), peer);
  } catch (const ProtocolError&) {
    ReceivedRequest received;
    received.request.peer = peer;
    refuse_with_current_exception(received, true);
    return received;
  }
}

std::optional<Head> RequestReader::read_head() {
  const HeadLimits limits{limits_.header_bytes, limits_.header_fields};
  const Deadline deadline = after(limits_.header);
  std::size_t scanned = 0;
  for (;;) {
    if (const auto size = find_head(buffer_, scanned, limits)) {
      Head head = parse_head(std::string_view(buffer_).substr(0, *size), limits);
      buffer_.erase(0, *size);
      return head;
    }
    const ReadStatus status = fill(deadline);
    if (status == ReadStatus::timed_out) {
      throw ProtocolError(408, "http.header_deadline", "the request's header took too long");
    }
    if (status == ReadStatus::closed) {
      return std::nullopt;
    }
  }
}

ReceivedRequest RequestReader::route(Head head, const PeerInfo& peer) {
  ReceivedRequest received{.request = {}, .handler = {}, .close = head.close};
  Request& request = received.request;
  request.method = head.method;
  request.path = head.target.path;
  request.segments = head.target.segments;
  request.query = head.target.query;
  request.headers = head.headers;
  request.peer = peer;
  try {
    RouteMatch match = router_.match(head.method, head.target.segments, peer);
    if (match.takes_body) {
      read_body(head, match, request.body);
    }
    // A body that nobody takes is not read: it goes with the connection.
    received.close = received.close || (!match.takes_body && head.has_body());
    received.handler = std::move(match.handler);
  } catch (const ProtocolError&) {
    refuse_with_current_exception(received, true);
  } catch (const Error&) {
    refuse_with_current_exception(received, head.has_body());
  } catch (...) {
    refuse_with_current_exception(received, true);
  }
  return received;
}

void RequestReader::read_body(const Head& head, const RouteMatch& match, std::string& body) {
  if (!head.chunked && !head.content_length) {
    throw ProtocolError(411, "http.length_required", "this request needs a Content-Length");
  }
  if (head.content_length.value_or(0) > match.body_limit) {
    throw ProtocolError(413, "http.body_too_large", "the request's body is too large");
  }
  const Deadline deadline = after(limits_.body);
  invite_body(head, deadline);
  body = head.chunked ? read_chunked(match.body_limit, deadline)
                      : read_counted(*head.content_length, deadline);
}

void RequestReader::invite_body(const Head& head, Deadline deadline) {
  // No invitation to a client that has begun already (RFC 9110 10.1.1).
  if (head.expects_continue && head.has_body() && buffer_.empty()) {
    static_cast<void>(stream_.write(kContinue, deadline));  // a failure shows in the next read
  }
}

std::string RequestReader::read_counted(std::uint64_t size, Deadline deadline) {
  while (buffer_.size() < size) {
    need_more(deadline);
  }
  const auto count = static_cast<std::size_t>(size);
  std::string body = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return body;
}

std::string RequestReader::read_chunked(std::size_t limit, Deadline deadline) {
  ChunkedBody body(limit, limits_.header_bytes);
  for (;;) {
    buffer_.erase(0, body.feed(buffer_));
    if (body.complete()) {
      return body.take();
    }
    need_more(deadline);
  }
}

void RequestReader::need_more(Deadline deadline) {
  const ReadStatus status = fill(deadline);
  if (status == ReadStatus::timed_out) {
    throw ProtocolError(408, "http.body_deadline", "the request's body took too long");
  }
  if (status == ReadStatus::closed) {
    throw ProtocolError(400, "http.body_truncated", "the request's body ended too early");
  }
}

}  // namespace estia::http
