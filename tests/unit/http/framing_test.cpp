// SPDX-License-Identifier: Apache-2.0
#include "server/http/framing.h"

#include <gtest/gtest.h>

namespace estia::http {
namespace {

/// "status id" of the refusal, "ok" without one.
std::string outcome(const std::string& text, const HeadLimits& limits = {}) {
  try {
    std::size_t scanned = 0;
    const auto size = find_head(text, scanned, limits);
    if (!size) {
      return "incomplete";
    }
    static_cast<void>(parse_head(text.substr(0, *size), limits));
    return "ok";
  } catch (const ProtocolError& error) {
    return std::to_string(error.status()) + " " + error.id();
  }
}

Head parse(const std::string& text) {
  return parse_head(text, {});
}

std::string with_fields(const std::string& fields) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

struct Case {
  std::string text;
  std::string expected;
};

TEST(Framing, RequestLinesAreStrict) {
  const std::string rest = "\r\nHost: h\r\n\r\n";
  const std::vector<Case> cases = {
      {"GET / HTTP/1.1", "ok"},
      {"GET /a HTTP/1.0", "ok"},
      {"BREW /a HTTP/1.1", "ok"},
      {"GET /a", "400 http.request_line"},
      {"GET  /a HTTP/1.1", "400 http.target"},
      {"GET /a  HTTP/1.1", "400 http.target"},
      {" GET /a HTTP/1.1", "400 http.method"},
      {"G(T /a HTTP/1.1", "400 http.method"},
      {std::string(33, 'A') + " /a HTTP/1.1", "400 http.method"},
      {"GET /a HTTP/1.1 ", "400 http.request_line"},
      {"GET /a http/1.1", "400 http.request_line"},
      {"GET /a HTTP/1.10", "400 http.request_line"},
      {"GET /a HTTP/1,1", "400 http.request_line"},
      {"GET /a HTTP/9.9", "505 http.version"},
      {"GET /a HTTP/1.2", "505 http.version"},
      {"GET /a HTTP/0.9", "505 http.version"},
      {"PRI * HTTP/2.0", "505 http.version"},
      {"GET /" + std::string(8192, 'a') + " HTTP/1.1", "414 http.target_too_long"},
      {"GET /a\tHTTP/1.1", "400 http.request_line"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(outcome(c.text + rest), c.expected) << c.text.substr(0, 60);
  }
}

TEST(Framing, TargetsMeanOneThing) {
  const std::vector<Case> cases = {
      {"/.well-known/est/cacerts", "ok"},
      {"/a?x=%41&y=/", "ok"},
      {"/%63acerts", "ok"},
      {"/a%20b", "ok"},
      {"//", "ok"},
      {"*", "400 http.target"},
      {"http://h/a", "400 http.target"},
      {"h:443", "400 http.target"},
      {"a", "400 http.target"},
      {"/a#b", "400 http.target"},
      {"/a/../b", "400 http.target"},
      {"/a/./b", "400 http.target"},
      {"/%2e%2E/b", "400 http.target"},
      {"/a/..", "400 http.target"},
      {"/a%2Fb", "400 http.target"},
      {"/a%2fb", "400 http.target"},
      {"/a%5cb", "400 http.target"},
      {"/a%00", "400 http.target"},
      {"/a%0d%0ab", "400 http.target"},
      {"/a?b%00", "400 http.target"},
      {"/a%", "400 http.target"},
      {"/a%4", "400 http.target"},
      {"/a%zz", "400 http.target"},
      {"/a\\b", "400 http.target"},
      {"/a\"b", "400 http.target"},
      {"/\xc3\xa4", "400 http.target"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(outcome("GET " + c.text + " HTTP/1.1\r\nHost: h\r\n\r\n"), c.expected) << c.text;
  }
}

TEST(Framing, SegmentsAreDecodedWhereThatIsSafe) {  // EST-3.2.2-h
  const TargetParts parts = parse_target("/.well-known/%65st/a%20b/%7ex/?q=%41");
  EXPECT_EQ(parts.segments, (std::vector<std::string>{".well-known", "est", "a%20b", "~x", ""}));
  EXPECT_EQ(parts.path, "/.well-known/%65st/a%20b/%7ex/");
  EXPECT_EQ(parts.query, "q=%41");
  EXPECT_EQ(parse_target("/").segments, (std::vector<std::string>{""}));
}

TEST(Framing, FieldsAreStrict) {
  const std::vector<Case> cases = {
      {"", "ok"},
      {"X: \t a b \r\n", "ok"},
      {"X:\r\n", "ok"},
      {"X: \xc3\xa4\r\n", "ok"},
      {"Content-Length: 5\r\n", "ok"},
      {"Content-Length:   0  \r\n", "ok"},
      {"Transfer-Encoding: Chunked\r\n", "ok"},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400 http.two_lengths"},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", "400 http.content_length"},
      {"Content-Length: 5\r\ncontent-length: 5\r\n", "400 http.content_length"},
      {"Content-Length: 5, 5\r\n", "400 http.content_length"},
      {"Content-Length: -5\r\n", "400 http.content_length"},
      {"Content-Length: +5\r\n", "400 http.content_length"},
      {"Content-Length: abc\r\n", "400 http.content_length"},
      {"Content-Length: 0x5\r\n", "400 http.content_length"},
      {"Content-Length:\r\n", "400 http.content_length"},
      {"Content-Length: 10000000000000000000\r\n", "400 http.content_length"},
      {"Content-Length : 5\r\n", "400 http.field_name"},
      {"Transfer-Encoding : chunked\r\n", "400 http.field_name"},
      {"Transfer-Encoding: gzip, chunked\r\n", "501 http.transfer_coding"},
      {"Transfer-Encoding: xchunked\r\n", "501 http.transfer_coding"},
      {"Transfer-Encoding: identity\r\n", "501 http.transfer_coding"},
      {"Transfer-Encoding:\r\n", "501 http.transfer_coding"},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
       "400 http.transfer_encoding"},
      {"Transfer-Encoding: =?us-ascii?Q?chunked?=\r\n", "400 http.encoded_word"},
      {"X: =?utf-8?Q?a=0D=0Ab?=\r\n", "400 http.encoded_word"},
      {"X: a\r\n b\r\n", "400 http.folded"},
      {"X: a\r\n\tb\r\n", "400 http.folded"},
      {"X: a\nY: b\r\n", "400 http.bare_lf"},
      {"X: a\rb\r\n", "400 http.field_value"},
      {std::string("X: a\0b\r\n", 8), "400 http.field_value"},
      {"X: a\x7f\r\n", "400 http.field_value"},
      {"X: a\x1b\r\n", "400 http.field_value"},
      {"no colon\r\n", "400 http.field_name"},
      {": empty\r\n", "400 http.field_name"},
      {"X(: a\r\n", "400 http.field_name"},
      {"Host: other\r\n", "400 http.host"},
      {"Expect: 100-Continue\r\n", "ok"},
      {"Expect: something\r\n", "417 http.expectation"},
      {"Expect: 100-continue\r\nExpect: 100-continue\r\n", "400 http.expect"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(outcome(with_fields(c.text)), c.expected) << c.text;
  }
}

TEST(Framing, Http11NeedsOneHost) {
  const auto request = [](const std::string& version, const std::string& fields) {
    return outcome("GET / HTTP/" + version + "\r\n" + fields + "\r\n");
  };
  EXPECT_EQ(request("1.1", ""), "400 http.host");
  EXPECT_EQ(request("1.1", "Host:\r\n"), "400 http.host");
  EXPECT_EQ(request("1.1", "Host: a b\r\n"), "400 http.host");
  EXPECT_EQ(request("1.1", "Host: a/b\r\n"), "400 http.host");
  EXPECT_EQ(request("1.1", "Host: a,b\r\n"), "400 http.host");
  EXPECT_EQ(request("1.1", "Host: u@h\r\n"), "400 http.host");
  EXPECT_EQ(request("1.1", "Host: localhost\r\n"), "ok");
  EXPECT_EQ(request("1.1", "Host: [::1]:8443\r\n"), "ok");
  EXPECT_EQ(request("1.0", ""), "ok");
  EXPECT_EQ(request("1.0", "Host: a\r\nHost: b\r\n"), "400 http.host");
  EXPECT_EQ(request("1.0", "Transfer-Encoding: chunked\r\n"), "400 http.two_lengths");
}

TEST(Framing, LimitsAreTotals) {
  std::string fields;
  for (int i = 0; i < 63; ++i) {
    fields += "X: a\r\n";
  }
  EXPECT_EQ(outcome(with_fields(fields)), "ok");
  EXPECT_EQ(outcome(with_fields(fields + "X: a\r\n")), "431 http.too_many_fields");
  EXPECT_EQ(outcome(with_fields("X: " + std::string(16384, 'a') + "\r\n")),
            "431 http.head_too_large");
  EXPECT_EQ(outcome(std::string(16384, 'A')), "431 http.head_too_large");
  EXPECT_EQ(outcome(std::string(16383, 'A')), "incomplete");
}

TEST(Framing, ReadsWhatTheConnectionNeeds) {
  const Head head = parse(with_fields(
      "Connection: keep-alive , CLOSE\r\nContent-Length: 007\r\nExpect: 100-continue\r\n"));
  EXPECT_TRUE(head.close);
  EXPECT_EQ(head.content_length, 7U);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.has_body());
  EXPECT_EQ(head.headers.find("hOST"), "h");
  EXPECT_FALSE(parse(with_fields("Connection: closed\r\n")).close);
  const Head old =
      parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(old.close);
  EXPECT_FALSE(old.expects_continue);
}

TEST(Framing, AHeadIsFoundHoweverItIsCut) {
  const std::string text = with_fields("X: a\r\n") + "body";
  const std::size_t size = text.size() - 4;
  std::size_t scanned = 0;
  for (std::size_t have = 0; have < size; ++have) {
    EXPECT_EQ(find_head(text.substr(0, have), scanned, {}), std::nullopt) << have;
  }
  EXPECT_EQ(find_head(text, scanned, {}), size);
}

TEST(Framing, EmptyLinesInFrontAreNoRequest) {
  EXPECT_EQ(leading_empty_lines(""), 0U);
  EXPECT_EQ(leading_empty_lines("\r"), 0U);
  EXPECT_EQ(leading_empty_lines("\n"), 0U);
  EXPECT_EQ(leading_empty_lines("\r\n\r\nGET"), 4U);
  EXPECT_EQ(leading_empty_lines("\r\n\r"), 2U);
}

}  // namespace
}  // namespace estia::http
