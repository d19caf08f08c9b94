// SPDX-License-Identifier: Apache-2.0
#include "server/ops/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace estia::ops {
namespace {

TEST(Log, ValuesCannotEndALineOrLookLikeAField) {
  EXPECT_EQ(escape("plain-/.:text"), "plain-/.:text");
  EXPECT_EQ(escape(""), "\"\"");
  EXPECT_EQ(escape("a b"), "\"a b\"");
  EXPECT_EQ(escape("a=b"), "\"a=b\"");
  EXPECT_EQ(escape("a\r\nlevel=error"), "\"a\\r\\nlevel=error\"");
  EXPECT_EQ(escape("\"\\"), "\"\\\"\\\\\"");
  EXPECT_EQ(escape(std::string_view("\0\x1b\x7f\xc3\xa4", 5)), "\"\\x00\\x1b\\x7f\\xc3\\xa4\"");
  EXPECT_EQ(escape(std::string(5000, 'x')), "\"" + std::string(1024, 'x') + "...\"");
}

TEST(Log, WritesOneLineAndNoFormatOfAPeer) {
  std::ostringstream out;
  set_up_log(Level::info, out);
  log(Level::info, "some.event", {{"request", "r-1"}, {"path", "/{}%s{0}"}});
  log(Level::debug, "not.written", {});
  set_up_log(Level::info);
  const std::string line = out.str();
  EXPECT_TRUE(line.starts_with("time=")) << line;
  EXPECT_NE(line.find(" level=info event=some.event request=r-1 path=/{}%s{0}\n"),
            std::string::npos)
      << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

}  // namespace
}  // namespace estia::ops
