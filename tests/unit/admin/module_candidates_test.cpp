// SPDX-License-Identifier: Apache-2.0
// Which modules a machine has, by p11-kit's files.
#include "admin/token/module_candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "crypto/base/file.h"
#include "tests/support/scratch_directory.h"

namespace estia::admin {
namespace {

TEST(ModuleCandidates, ReadsP11KitsFilesInTheirOrder) {
  const test::ScratchDirectory scratch;
  const auto write = [&](const std::string& name, const std::string& text) {
    write_new_file(scratch.path() / name, text, FileMode::readable);
  };
  write("b.module", "# module: /no/comment.so\r\npriority: 1\n  module :  relative.so \t\n");
  write("a.module", "module: /absolute/one.so");
  write("c.module", "remote: |p11-kit remote /x.so\nmodules: /no.so\n");
  write("d.txt", "module: /not/ours.so\n");
  write("e.module", std::string(100'000, '#') + "\nmodule: /too/large.so\n");
  const std::array<std::filesystem::path, 2> folders = {scratch.path() / "missing", scratch.path()};
  const auto found = named_by_p11_kit(folders, "/modules");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, "/absolute/one.so");
  EXPECT_EQ(found[0].named_by, (scratch.path() / "a.module").string());
  EXPECT_EQ(found[1].path, "/modules/relative.so");
}

TEST(ModuleCandidates, NamesEachLibraryOnceAndNeverTheProxy) {
  std::set<std::filesystem::path> seen;
  for (const ModuleCandidate& candidate : modules_of_this_machine()) {
    EXPECT_TRUE(seen.insert(std::filesystem::weakly_canonical(candidate.path)).second)
        << candidate.path;
    EXPECT_EQ(candidate.path.string().find("p11-kit-proxy"), std::string::npos);
    EXPECT_FALSE(candidate.named_by.empty());
  }
  const bool softhsm = std::ranges::any_of(
      seen, [](const std::filesystem::path& path) { return path.filename() == "libsofthsm2.so"; });
  EXPECT_TRUE(softhsm) << "SoftHSM is installed where tests run";
}

}  // namespace
}  // namespace estia::admin
