// SPDX-License-Identifier: Apache-2.0
#include "server/http/framing.h"

#include <algorithm>

#include "server/http/text.h"

namespace estia::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kLongestMethod = 32;
constexpr std::size_t kLongestTarget = 8U << 10U;
constexpr std::size_t kMostLengthDigits = 15;

[[noreturn]] void refuse(const char* id, const char* reason, int status = 400) {
  throw ProtocolError(status, id, reason);
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find(kLineEnd);
  if (end == std::string_view::npos) {
    refuse("http.line_end", "a line of the request has no end");
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + kLineEnd.size());
  return line;
}

void parse_version(std::string_view text, Head& head) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7])) {
    refuse("http.request_line", "the request line has no HTTP version");
  }
  if (text[5] != '1' || text[7] > '1') {
    refuse("http.version", "this server speaks HTTP/1.1", 505);
  }
  head.close = text[7] == '0';
}

void parse_request_line(std::string_view line, Head& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    refuse("http.request_line", "the request line must be: method target version");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method) || method.size() > kLongestMethod) {
    refuse("http.method", "the method is not a token");
  }
  head.method = std::string(method);
  parse_version(line.substr(last + 1), head);
  if (target.size() > kLongestTarget) {
    refuse("http.target_too_long", "the request target is too long", 414);
  }
  head.target = parse_target(target);
}

bool is_value_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

void parse_field(std::string_view line, Headers& headers) {
  if (is_blank(line.front())) {
    refuse("http.folded", "folded header lines are not accepted");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    refuse("http.field_name", "a header line has no proper field name");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), is_value_char)) {
    refuse("http.field_value", "control character in a header field");
  }
  // RFC 2047 words mean something else to whoever decodes them.
  if (value.find("=?") != std::string_view::npos) {
    refuse("http.encoded_word", "encoded words are not accepted in header fields");
  }
  headers.add(std::string(line.substr(0, colon)), std::string(value));
}

/// The one value of a field that may come once. `id` names the refusal of a second one.
std::optional<std::string> single(const Headers& headers, std::string_view name, const char* id) {
  const auto& fields = headers.all();
  const auto same = [&](const auto& field) { return equal_ignoring_case(field.first, name); };
  if (std::count_if(fields.begin(), fields.end(), same) > 1) {
    refuse(id, "a header field that may come once came twice");
  }
  return headers.find(name);
}

void check_host(const Head& head, bool required) {
  const auto host = single(head.headers, "Host", "http.host");
  if (!host && !required) {
    return;
  }
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view("-._~:[]!$&'()*+;=%").find(c) != std::string_view::npos;
  };
  if (!host || host->empty() || !std::all_of(host->begin(), host->end(), allowed)) {
    refuse("http.host", "exactly one proper Host field is needed");
  }
}

void read_length(Head& head, bool old_version) {
  const auto length = single(head.headers, "Content-Length", "http.content_length");
  const auto coding = single(head.headers, "Transfer-Encoding", "http.transfer_encoding");
  if (coding) {
    if (length || old_version) {
      refuse("http.two_lengths", "Transfer-Encoding must stand alone in an HTTP/1.1 request");
    }
    if (!equal_ignoring_case(*coding, "chunked")) {
      refuse("http.transfer_coding", "only the chunked transfer coding is implemented", 501);
    }
    head.chunked = true;
  }
  if (length) {
    if (length->empty() || length->size() > kMostLengthDigits ||
        !std::all_of(length->begin(), length->end(), is_digit)) {
      refuse("http.content_length", "Content-Length is not a proper number");
    }
    head.content_length = std::stoull(*length);
  }
}

void read_connection(Head& head) {
  for (const auto& [name, value] : head.headers.all()) {
    if (!equal_ignoring_case(name, "Connection")) {
      continue;
    }
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      head.close = head.close || equal_ignoring_case(trim(rest.substr(0, comma)), "close");
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
}

void read_expectation(Head& head, bool old_version) {
  const auto expect = single(head.headers, "Expect", "http.expect");
  if (!expect) {
    return;
  }
  if (!equal_ignoring_case(*expect, "100-continue")) {
    refuse("http.expectation", "this expectation cannot be met", 417);
  }
  head.expects_continue = !old_version;  // RFC 9110 10.1.1
}

}  // namespace

ProtocolError::ProtocolError(int status, std::string id, const std::string& told_to_peer)
    : Error(status == 413 ? ErrorCode::too_large : ErrorCode::malformed, std::move(id),
            told_to_peer),
      status_(status) {}

std::size_t leading_empty_lines(std::string_view input) noexcept {
  std::size_t size = 0;
  while (input.substr(size).starts_with(kLineEnd)) {
    size += kLineEnd.size();
  }
  return size;
}

std::optional<std::size_t> find_head(std::string_view input, std::size_t& scanned,
                                     const HeadLimits& limits) {
  const std::string_view window = input.substr(0, limits.bytes);
  for (std::size_t at = window.find('\n', scanned); at != std::string_view::npos;
       at = window.find('\n', scanned)) {
    if (at == 0 || window[at - 1] != '\r') {
      refuse("http.bare_lf", "lines of a request end with CR LF");
    }
    scanned = at + 1;
    if (at >= 3 && window.substr(at - 3, 4) == "\r\n\r\n") {
      return at + 1;
    }
  }
  scanned = window.size();
  if (input.size() >= limits.bytes) {
    refuse("http.head_too_large", "the request's header is too large", 431);
  }
  return std::nullopt;
}

Head parse_head(std::string_view text, const HeadLimits& limits) {
  Head head;
  parse_request_line(take_line(text), head);
  const bool old_version = head.close;
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    if (head.headers.all().size() == limits.fields) {
      refuse("http.too_many_fields", "the request has too many header fields", 431);
    }
    parse_field(line, head.headers);
  }
  check_host(head, !old_version);
  read_length(head, old_version);
  read_connection(head);
  read_expectation(head, old_version);
  return head;
}

}  // namespace estia::http
