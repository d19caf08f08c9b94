// SPDX-License-Identifier: Apache-2.0
// One line for each cell into the file ESTIA_HSM_RESULTS, from which tests/hsm.sh makes its table:
// suite, cell, module and who signs, outcome, milliseconds, why; separated by tabs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

class ResultsListener final : public ::testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const ::testing::TestInfo& test) override {
    const char* file = std::getenv("ESTIA_HSM_RESULTS");
    if (file == nullptr) {
      return;
    }
    const ::testing::TestResult& result = *test.result();
    std::string why;
    for (int i = 0; i < result.total_part_count(); ++i) {
      why += (why.empty() ? "" : " / ") + std::string(result.GetTestPartResult(i).message());
    }
    std::ranges::replace_if(
        why, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    std::string name = test.name();
    const std::size_t slash = std::min(name.find('/'), name.size());
    const char* outcome = result.Failed() ? "failed" : result.Skipped() ? "skipped" : "passed";
    std::ofstream(file, std::ios::app)
        << test.test_suite_name() << '\t' << name.substr(0, slash) << '\t'
        << name.substr(std::min(slash + 1, name.size())) << '\t' << outcome << '\t'
        << result.elapsed_time() << '\t' << why << '\n';
  }
};

/// Before main(), which is GoogleTest's.
const bool appended = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new ResultsListener);
  return true;
}();

}  // namespace
