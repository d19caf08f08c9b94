// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>

#include "crypto/base/file.h"
#include "tests/e2e/support/child.h"
#include "tests/support/paths.h"
#include "tests/support/scratch_directory.h"

namespace estia::test {
namespace {

constexpr int kReported = 66;  // ThreadSanitizer's exit status

/// What tests/run.sh says; without it, the same file of suppressions.
std::string options() {
  const char* given = std::getenv("TSAN_OPTIONS");
  return given != nullptr ? given
                          : "halt_on_error=1:suppressions='" +
                                (source_directory() / "tests/support/tsan.supp").string() + "'";
}

struct Planted {
  const char* library;      ///< planted_race's argument
  const char* suppression;  ///< a line that covers everything of ours below the library
};

class PlantedRace : public ::testing::TestWithParam<Planted> {
 protected:
  e2e::Finished run(const std::string& tsan_options) const {
    return e2e::run({binary_directory() / "planted_race", GetParam().library}, scratch_.path(),
                    {"TSAN_OPTIONS=" + tsan_options});
  }

  ScratchDirectory scratch_;
};

TEST_P(PlantedRace, IsReportedUnderOurSuppressions) {
  const e2e::Finished finished = run(options());
  EXPECT_EQ(finished.code, kReported) << finished.err;
  EXPECT_NE(finished.err.find("data race"), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("planted_race"), std::string::npos) << finished.err;
}

/// That the test above can fail, and why tsan.supp names no such library.
TEST_P(PlantedRace, IsHiddenByALineForTheLibraryAboveIt) {
  const std::filesystem::path file = scratch_.path() / "too-wide.supp";
  write_new_file(file, std::string(GetParam().suppression) + "\n", FileMode::secret);
  const e2e::Finished finished = run("halt_on_error=1:suppressions='" + file.string() + "'");
  EXPECT_EQ(finished.code, 0) << finished.err;
}

INSTANTIATE_TEST_SUITE_P(Below, PlantedRace,
                         ::testing::Values(Planted{"http", "race:libPocoNet"},
                                           Planted{"openssl", "race:libcrypto"},
                                           Planted{"sqlite", "race:libsqlite3"}),
                         [](const auto& planted) { return std::string(planted.param.library); });

}  // namespace
}  // namespace estia::test
