// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/secret.h"

namespace estia::http {

/// Takes the chunked coding off a request body (RFC 9112 7.1), strictly: extensions are bounded and
/// ignored, trailer fields are bounded and dropped, CR LF is demanded wherever the grammar has it.
class ChunkedBody final {
 public:
  /// At most `limit` bytes of content, and `head_limit` bytes of extensions and trailers together.
  ChunkedBody(std::size_t limit, std::size_t head_limit) noexcept
      : limit_(limit), spare_(head_limit) {}
  ~ChunkedBody() { cleanse(content_); }  ///< a body may bring a PIN
  ChunkedBody(const ChunkedBody&) = delete;
  ChunkedBody& operator=(const ChunkedBody&) = delete;
  ChunkedBody(ChunkedBody&&) = delete;
  ChunkedBody& operator=(ChunkedBody&&) = delete;

  /// Consumes from the front of `input` what belongs to the body and returns how much that was; a
  /// line that is not complete is left until more has come. Throws ProtocolError 400, or 413 once
  /// the content is known to be over the limit.
  std::size_t feed(std::string_view input);
  [[nodiscard]] bool complete() const noexcept { return state_ == State::complete; }
  [[nodiscard]] std::size_t size() const noexcept { return content_.size(); }  ///< so far
  [[nodiscard]] std::string take();

 private:
  enum class State { size_line, data, data_end, trailer, complete };

  bool step(std::string_view& input);
  bool read_data(std::string_view& input);
  bool read_data_end(std::string_view& input);
  void read_size(std::string_view line);
  void read_trailer(std::string_view line);
  void spend(std::size_t bytes);

  std::size_t limit_;
  std::size_t spare_;
  State state_ = State::size_line;
  std::uint64_t left_ = 0;  ///< of the current chunk
  std::string content_;
};

}  // namespace estia::http
