// SPDX-License-Identifier: Apache-2.0
#include "server/http/chunked.h"

#include <algorithm>

#include "server/http/framing.h"
#include "server/http/text.h"

namespace estia::http {
namespace {

constexpr std::size_t kMostSizeDigits = 8;

[[noreturn]] void refuse(const char* reason) {
  throw ProtocolError(400, "http.chunked", reason);
}

bool is_line_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

std::size_t ChunkedBody::feed(std::string_view input) {
  const std::size_t before = input.size();
  while (!complete() && step(input)) {
  }
  return before - input.size();
}

/// False when more input is needed.
bool ChunkedBody::step(std::string_view& input) {
  if (state_ == State::data) {
    return read_data(input);
  }
  if (state_ == State::data_end) {
    return read_data_end(input);
  }
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) {
    if (input.size() > spare_ + kMostSizeDigits + 1) {
      refuse("a line of the chunked body is too long");
    }
    return false;
  }
  if (end == 0 || input[end - 1] != '\r') {
    refuse("lines of a chunked body end with CR LF");
  }
  const std::string_view line = input.substr(0, end - 1);
  if (!std::all_of(line.begin(), line.end(), is_line_char)) {
    refuse("control character in a line of the chunked body");
  }
  input.remove_prefix(end + 1);
  if (state_ == State::size_line) {
    read_size(line);
  } else {
    read_trailer(line);
  }
  return true;
}

/// A short text that is moved stays where it was.
std::string ChunkedBody::take() {
  std::string all = content_;
  cleanse(content_);
  content_.clear();
  return all;
}

void ChunkedBody::read_size(std::string_view line) {
  std::size_t digits = 0;
  left_ = 0;
  while (digits < line.size() && hex_value(line[digits]) >= 0) {
    if (++digits > kMostSizeDigits) {
      refuse("a chunk's size has too many digits");
    }
    left_ = left_ * 16 + static_cast<std::uint64_t>(hex_value(line[digits - 1]));
  }
  const std::string_view rest = trim(line.substr(digits));
  if (digits == 0 || (!rest.empty() && !rest.starts_with(';'))) {
    refuse("a chunk's size is not a number");
  }
  spend(line.size() - digits);
  if (left_ > limit_ - content_.size()) {
    throw ProtocolError(413, "http.body_too_large", "the request's body is too large");
  }
  state_ = left_ == 0 ? State::trailer : State::data;
}

bool ChunkedBody::read_data(std::string_view& input) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  append_secret(content_, input.substr(0, size));
  input.remove_prefix(size);
  left_ -= size;
  if (left_ > 0) {
    return false;
  }
  state_ = State::data_end;
  return true;
}

bool ChunkedBody::read_data_end(std::string_view& input) {
  constexpr std::string_view kLineEnd = "\r\n";
  if (!kLineEnd.starts_with(input.substr(0, 2))) {
    refuse("a chunk is longer than its size");
  }
  if (input.size() < 2) {
    return false;
  }
  input.remove_prefix(2);
  state_ = State::size_line;
  return true;
}

void ChunkedBody::read_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::complete;
    return;
  }
  spend(line.size());
  if (!is_token(line.substr(0, line.find(':'))) || line.find(':') == std::string_view::npos) {
    refuse("a trailer line has no proper field name");
  }
}

void ChunkedBody::spend(std::size_t bytes) {
  if (bytes > spare_) {
    refuse("too many chunk extensions or trailer fields");
  }
  spare_ -= bytes;
}

}  // namespace estia::http
