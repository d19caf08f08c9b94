// SPDX-License-Identifier: Apache-2.0
#include "server/http/chunked.h"

#include <gtest/gtest.h>

#include "server/http/framing.h"

namespace estia::http {
namespace {

/// The content and what was left, "incomplete", or "status". Fed `step` bytes at a time.
std::string decode(std::string_view text, std::size_t step, std::size_t limit = 100) {
  ChunkedBody body(limit, 64);
  std::string buffer;
  try {
    while (!body.complete()) {
      if (text.empty()) {
        return "incomplete";
      }
      buffer += text.substr(0, step);
      text.remove_prefix(std::min(step, text.size()));
      buffer.erase(0, body.feed(buffer));
    }
  } catch (const ProtocolError& error) {
    return std::to_string(error.status());
  }
  return body.take() + "|" + buffer + std::string(text);
}

TEST(Chunked, TableOfBodies) {
  struct Case {
    std::string text;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {"0\r\n\r\n", "|"},
      {"3\r\nabc\r\n0\r\n\r\n", "abc|"},
      {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "abcde|GET"},
      {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789|"},
      {"0003\r\nabc\r\n0\r\n\r\n", "abc|"},
      {"3;x=y\r\nabc\r\n0;z\r\n\r\n", "abc|"},
      {"3 ;x\r\nabc\r\n0\r\n\r\n", "abc|"},
      {"3\r\nabc\r\n0\r\nX: y\r\n\r\nGET", "abc|GET"},
      {"3\r\nabc\r\n", "incomplete"},
      {"3\r\nab", "incomplete"},
      {"\r\n", "400"},
      {"g\r\n", "400"},
      {"-3\r\nabc\r\n", "400"},
      {"+3\r\nabc\r\n", "400"},
      {" 3\r\nabc\r\n", "400"},
      {"0x3\r\nabc\r\n", "400"},
      {"3 4\r\nabc\r\n", "400"},
      {"3\nabc\r\n0\r\n\r\n", "400"},
      {"3\r\nabc\n0\r\n\r\n", "400"},
      {"3\r\nabcd\r\n0\r\n\r\n", "400"},
      {"000000003\r\nabc\r\n", "400"},
      {"FFFFFFFFFFFFFFFFF\r\n", "400"},
      {"65\r\n", "413"},
      {"FFFFFFFF\r\n", "413"},
      {"3;" + std::string(70, 'x') + "\r\nabc\r\n", "400"},
      {std::string(200, '1'), "400"},
      {"0\r\nX: " + std::string(70, 'y') + "\r\n\r\n", "400"},
      {"0\r\nno colon\r\n\r\n", "400"},
      {"0\r\nX : y\r\n\r\n", "400"},
      {"0\r\n folded\r\n\r\n", "400"},
      {"3;a\rb\r\nabc\r\n", "400"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(decode(c.text, 1), c.expected) << c.text;
    EXPECT_EQ(decode(c.text, 1000), c.expected) << c.text;
  }
}

TEST(Chunked, TheLimitCountsAllChunks) {
  EXPECT_EQ(decode("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 1000, 4), "abcd|");
  EXPECT_EQ(decode("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", 1000, 4), "413");
}

}  // namespace
}  // namespace estia::http
