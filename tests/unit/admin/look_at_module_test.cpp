// SPDX-License-Identifier: Apache-2.0
// A module that hangs is left alone.
#include "admin/token/look_at_module.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace estia::admin {
namespace {

TEST(LookAtModule, OneThatNeverAnswersIsUnusable) {
  ::setenv("ESTIA_BROKEN_MODULE_DOES", "hang", 1);
  const auto report =
      look_at_module(ESTIA_BROKEN_MODULE, "", ModuleNoise::hidden, std::chrono::milliseconds(300));
  EXPECT_EQ(report.at("loadable"), false);
  EXPECT_EQ(report.at("trouble"), "it did not answer within 300 ms");
  EXPECT_TRUE(report.at("slots").empty());
}

TEST(LookAtModule, ItsReasonIsTold) {
  ::setenv("ESTIA_BROKEN_MODULE_DOES", "fail", 1);
  const auto report =
      look_at_module(ESTIA_BROKEN_MODULE, "", ModuleNoise::hidden, std::chrono::minutes(2));
  EXPECT_EQ(report.at("trouble"), "C_Initialize: CKR_GENERAL_ERROR (0x5)");
}

TEST(LookAtModule, AFileThatIsNoneSaysWhy) {
  const auto report =
      look_at_module("/etc/passwd", "", ModuleNoise::hidden, std::chrono::minutes(2));
  EXPECT_EQ(report.at("loadable"), false);
  EXPECT_NE(report.at("trouble").get<std::string>().find("/etc/passwd"), std::string::npos)
      << report;
}

}  // namespace
}  // namespace estia::admin
