// SPDX-License-Identifier: Apache-2.0
#include "server/provision/line_diff.h"

#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/child.h"
#include "tests/support/scratch_directory.h"

namespace estia::provision {
namespace {

TEST(LineDiff, EqualTextsHaveNone) {
  EXPECT_EQ(line_diff("", ""), "");
  EXPECT_EQ(line_diff("a\nb\n", "a\nb\n"), "");
}

TEST(LineDiff, ShowsWhatIsAddedRemovedAndChanged) {
  EXPECT_EQ(line_diff("", "a\n"), "@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(line_diff("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
  EXPECT_EQ(line_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(LineDiff, ChangesFarApartHaveHunksOfTheirOwn) {
  std::string before;
  std::string after;
  for (int i = 1; i <= 30; ++i) {
    before += std::to_string(i) + "\n";
    after += (i == 2 || i == 28 ? "x" : std::to_string(i)) + std::string("\n");
  }
  EXPECT_EQ(line_diff(before, after),
            "@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n 5\n"
            "@@ -25,6 +25,6 @@\n 25\n 26\n 27\n-28\n+x\n 29\n 30\n");
}

TEST(LineDiff, PatchMakesTheNewTextOfIt) {  // the tool, not our own reading of the format
  const test::ScratchDirectory scratch;
  std::string before;
  std::string after;
  for (int i = 0; i < 400; ++i) {
    const std::string line = std::to_string(i * 7919 % 53) + "\n";
    before += i % 11 == 3 ? "" : line;
    after += i % 13 == 5 ? "" : line;
    after += i % 17 == 9 ? "new " + line : "";
  }
  write_new_file(scratch.path() / "text", before, FileMode::secret);
  write_new_file(scratch.path() / "diff", "--- text\n+++ text\n" + line_diff(before, after),
                 FileMode::secret);
  e2e::run_ok(
      {"patch", "--silent", (scratch.path() / "text").string(), (scratch.path() / "diff").string()},
      scratch.path());
  EXPECT_EQ(read_file(scratch.path() / "text"), after);
}

TEST(LineDiff, VeryDifferentLargeTextsAreReplacedWhole) {
  std::string before;
  std::string after;
  for (int i = 0; i < 6000; ++i) {
    before += "b" + std::to_string(i) + "\n";
    after += "a" + std::to_string(i) + "\n";
  }
  EXPECT_TRUE(line_diff(before, after).starts_with("@@ -1,6000 +1,6000 @@\n-b0\n-b1\n"));
}

}  // namespace
}  // namespace estia::provision
