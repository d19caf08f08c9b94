// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"

namespace estia {
namespace {

namespace fs = std::filesystem;
using test::refusal;

class File : public ::testing::Test {
 protected:
  fs::path path(const char* name) const { return scratch_.path() / name; }

  fs::path make(const char* name, std::string_view contents, unsigned mode) const {
    const fs::path file = path(name);
    std::ofstream(file, std::ios::binary) << contents;
    fs::permissions(file, static_cast<fs::perms>(mode));
    return file;
  }

  static unsigned mode_of(const fs::path& file) {
    return static_cast<unsigned>(fs::status(file).permissions());
  }

  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(scratch_.path()), fs::directory_iterator()));
  }

  static std::string secret_refusal(const fs::path& file) {
    return refusal([&] { static_cast<void>(read_secret_file(file)); });
  }

 private:
  test::ScratchDirectory scratch_;
};

TEST_F(File, ReadsTheWholeFileWithNulAndLineEnds) {
  const std::string contents("a\0b\r\n\n", 6);
  EXPECT_EQ(read_file(make("x", contents, 0644)), contents);
  EXPECT_EQ(read_file(make("empty", "", 0644)), "");
  const std::string big(100000, 'z');
  EXPECT_EQ(read_file(make("big", big, 0644)), big);
}

TEST_F(File, RefusesToReadWhatIsMissingAFolderOrTooLarge) {
  const auto read = [](const fs::path& file, std::size_t limit = 100) {
    return refusal([&] { static_cast<void>(read_file(file, limit)); });
  };
  EXPECT_EQ(read(path("missing")), "config file.unreadable");
  EXPECT_EQ(read(path("")), "config file.unreadable");
  EXPECT_EQ(read(make("limit", std::string(100, 'x'), 0644)), "none");
  EXPECT_EQ(read(make("over", std::string(101, 'x'), 0644)), "config file.too_large");
  EXPECT_EQ(read("/dev/zero"), "config file.too_large");
}

TEST_F(File, ASecretLosesOneLineEnd) {
  EXPECT_EQ(read_secret_file(make("a", "pin", 0600)).text(), "pin");
  EXPECT_EQ(read_secret_file(make("b", "pin\n", 0600)).text(), "pin");
  EXPECT_EQ(read_secret_file(make("c", "pin\r\n", 0400)).text(), "pin");
  EXPECT_EQ(read_secret_file(make("d", "pin\n\n", 0600)).text(), "pin\n");
  EXPECT_EQ(read_secret_file(make("e", " pin ", 0600)).text(), " pin ");
}

TEST_F(File, RefusesASecretThatOthersCanTouch) {
  for (const unsigned mode : {0644U, 0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0777U}) {
    EXPECT_EQ(secret_refusal(make("s", "pin", mode)), "config file.secret_mode") << mode;
  }
}

TEST_F(File, RefusesASecretThatIsEmptyHoldsNulOrIsTooLong) {
  EXPECT_EQ(secret_refusal(make("a", "", 0600)), "config file.secret_empty");
  EXPECT_EQ(secret_refusal(make("b", "\n", 0600)), "config file.secret_empty");
  EXPECT_EQ(secret_refusal(make("c", "\r\n", 0600)), "config file.secret_empty");
  EXPECT_EQ(secret_refusal(make("d", std::string_view("p\0n", 3), 0600)), "config file.secret_nul");
  EXPECT_EQ(secret_refusal(make("e", std::string(5000, 'x'), 0600)), "config file.too_large");
  EXPECT_EQ(secret_refusal(path("missing")), "config file.unreadable");
}

TEST_F(File, RefusesASecretThatIsNoRegularFile) {
  EXPECT_EQ(secret_refusal(path("")), "config file.secret_kind");
  EXPECT_EQ(secret_refusal("/dev/null"), "config file.secret_kind");
  const fs::path fifo = path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(secret_refusal(fifo), "config file.secret_kind") << "and without waiting for a writer";
}

TEST_F(File, WritesANewFileWithExactlyItsModeWhateverTheUmask) {
  const mode_t before = ::umask(0);
  write_new_file(path("open"), "x", FileMode::secret);
  ::umask(0077);
  write_new_file(path("shut"), "y", FileMode::readable);
  ::umask(before);
  EXPECT_EQ(mode_of(path("open")), 0600U);
  EXPECT_EQ(mode_of(path("shut")), 0644U);
  EXPECT_EQ(read_file(path("shut")), "y");
}

TEST_F(File, NeverOverwritesNorFollowsALink) {
  make("x", "old", 0644);
  const auto write = [&](const char* name) {
    return refusal([&] { write_new_file(path(name), "new", FileMode::readable); });
  };
  EXPECT_EQ(write("x"), "conflict file.exists");
  EXPECT_EQ(read_file(path("x")), "old");
  fs::create_symlink(path("target"), path("link"));
  EXPECT_EQ(write("link"), "conflict file.exists");
  EXPECT_FALSE(fs::exists(path("target")));
  EXPECT_EQ(write("no/folder"), "store file.unwritable");
}

TEST_F(File, ReplacesInOneStepAndLeavesNothingBeside) {
  replace_file(path("x"), "one", FileMode::readable);
  replace_file(path("x"), "two", FileMode::secret);
  EXPECT_EQ(read_file(path("x")), "two");
  EXPECT_EQ(mode_of(path("x")), 0600U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(File, AReplacementThatFailsLeavesTheOldOneAndNothingBeside) {
  fs::create_directory(path("folder"));
  make("folder/kept", "kept", 0644);
  EXPECT_EQ(refusal([&] { replace_file(path("folder"), "new", FileMode::readable); }),
            "store file.unwritable");
  EXPECT_EQ(read_file(path("folder/kept")), "kept");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(File, AnErrorNamesThePathAndNotTheContents) {
  try {
    static_cast<void>(read_secret_file(make("token.pin", "TopSecret", 0644)));
    FAIL() << "read";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("token.pin"), std::string::npos);
    EXPECT_EQ((error.what() + error.detail()).find("TopSecret"), std::string::npos);
  }
}

}  // namespace
}  // namespace estia
