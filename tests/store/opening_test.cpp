// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <fstream>

#include "crypto/base/file.h"
#include "tests/store/fixture.h"

namespace estia::store::test {
namespace {

class OpeningTest : public StoreTest {
 protected:
  [[nodiscard]] std::string open_error() {
    return error_id([&] { static_cast<void>(open()); });
  }
  [[nodiscard]] std::string create_error() {
    return error_id([&] { static_cast<void>(create()); });
  }
  void write(const std::string& contents) { write_new_file(path(), contents, FileMode::secret); }
  [[nodiscard]] static mode_t mode_of(const std::filesystem::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  }
};

TEST_F(OpeningTest, AFreshStoreIsEmptyAndCanBeOpenedAgain) {
  {
    const auto store = create();
    EXPECT_EQ(store->node(), "node-1");
    EXPECT_EQ(store->verify_audit_chain(), 0U);
  }
  const auto store = open();
  EXPECT_EQ(store->node(), "node-1");
  EXPECT_TRUE(store->registry().open_intents().empty());
  EXPECT_FALSE(store->stats().failed);
}

TEST_F(OpeningTest, EveryFileIsForItsOwnerAlone) {
  const mode_t before = ::umask(0);
  const auto store = create();
  intend(*store, intent_of(1));
  ::umask(before);
  for (const char* suffix : {"", "-wal", "-shm", "-lock"}) {
    EXPECT_EQ(mode_of(path().string() + suffix), 0600U) << suffix;
  }
}

TEST_F(OpeningTest, CreateRefusesAnExistingFileAndLeavesItAlone) {
  write("precious");
  EXPECT_EQ(create_error(), "store.exists");
  EXPECT_EQ(read_file(path()), "precious");
}

TEST_F(OpeningTest, CreateRefusesADanglingLink) {
  std::filesystem::create_symlink(folder() / "elsewhere", path());
  EXPECT_EQ(create_error(), "store.exists");
  EXPECT_FALSE(std::filesystem::exists(folder() / "elsewhere"));
}

TEST_F(OpeningTest, CreateRefusesNodeNamesThatAreNoLabels) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a/b"),
                                  std::string("a\0b", 3), std::string(65, 'a')}) {
    EXPECT_EQ(error_id([&] { static_cast<void>(Store::create(path(), name, clock_)); }),
              "store.node_name");
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
}

TEST_F(OpeningTest, CreateNeedsItsFolder) {
  const auto elsewhere = folder() / "missing" / "estia.db";
  EXPECT_EQ(error_id([&] { static_cast<void>(Store::create(elsewhere, "n", clock_)); }),
            "store.missing");
}

TEST_F(OpeningTest, ACreateThatFailsLeavesNoFileBehind) {
  for (std::uint64_t n = 1;; ++n) {
    vfs_.fail_at(n, ShimVfs::Fault::io_error, false);
    const std::string id = create_error();
    if (!vfs_.fault_happened()) {
      EXPECT_EQ(id, "");
      EXPECT_GT(n, 5U);
      break;
    }
    // A fault in the last steps of closing comes after everything is recorded.
    EXPECT_TRUE(id == "store.io" || id.empty()) << n << ' ' << id;
    if (id.empty()) {
      vfs_.fail_at(0, ShimVfs::Fault::io_error, false);
      EXPECT_EQ(open_error(), "") << n;
      std::filesystem::remove(path());
      std::filesystem::remove(path().string() + "-wal");
      std::filesystem::remove(path().string() + "-shm");
    }
    ASSERT_FALSE(std::filesystem::exists(path())) << n;
    ASSERT_FALSE(std::filesystem::exists(path().string() + "-wal")) << n;
  }
}

TEST_F(OpeningTest, OpenRefusesAMissingFileAndMakesNone) {
  EXPECT_EQ(open_error(), "store.missing");
  EXPECT_TRUE(std::filesystem::is_empty(folder()));
}

TEST_F(OpeningTest, OpenRefusesAFolderAndALink) {
  std::filesystem::create_directory(path());
  EXPECT_EQ(open_error(), "store.unsafe_file");
  std::filesystem::remove(path());
  static_cast<void>(Store::create(folder() / "real.db", "n", clock_));
  std::filesystem::create_symlink(folder() / "real.db", path());
  EXPECT_EQ(open_error(), "store.unsafe_file");
}

TEST_F(OpeningTest, OpenRefusesAFileThatOthersMayRead) {
  static_cast<void>(create());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U}) {
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
    EXPECT_EQ(open_error(), "store.unsafe_file") << std::oct << mode;
  }
}

TEST_F(OpeningTest, AStoreIsReachedThroughALinkedFolder) {
  static_cast<void>(create());
  const auto link = folder() / "link";
  std::filesystem::create_directory_symlink(folder(), link);
  EXPECT_EQ(Store::open(link / "estia.db", clock_)->node(), "node-1");
}

TEST_F(OpeningTest, OpenRefusesGarbage) {
  write(std::string(8192, 'x'));
  EXPECT_EQ(open_error(), "store.corrupt");
}

TEST_F(OpeningTest, OpenRefusesAnEmptyFile) {
  write("");
  EXPECT_EQ(open_error(), "store.not_a_store");
}

TEST_F(OpeningTest, OpenRefusesAnotherProgramsDatabaseAndLeavesItAsItWas) {
  write("");
  sql_run(path(), "CREATE TABLE theirs(a); INSERT INTO theirs VALUES(1); PRAGMA user_version = 1");
  const std::string before = read_file(path());
  EXPECT_EQ(open_error(), "store.not_a_store");
  EXPECT_EQ(read_file(path()), before);
}

TEST_F(OpeningTest, OpenRefusesANewerSchemaAndLeavesItAsItWas) {
  static_cast<void>(create());
  sql_run(path(), "PRAGMA user_version = 99");
  const std::string before = read_file(path());
  EXPECT_EQ(open_error(), "store.newer_schema");
  EXPECT_EQ(read_file(path()), before);
}

TEST_F(OpeningTest, OpenRefusesAStoreWhoseIdentityWasRemoved) {
  static_cast<void>(create());
  sql_run(path(), "PRAGMA application_id = 0");
  EXPECT_EQ(open_error(), "store.not_a_store");
}

TEST_F(OpeningTest, OpenRefusesADamagedPage) {
  {
    const auto store = create();
    for (std::uint64_t i = 0; i < 200; ++i) {
      intend(*store, intent_of(i));
    }
  }
  const std::string good = read_file(path());
  const std::size_t pages = good.size() / 4096;
  ASSERT_GT(pages, 50U);
  for (std::size_t page = 0; page < pages; ++page) {
    std::string bad = good;
    bad.replace(page * 4096, 512, std::string(512, '\xA5'));
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << bad;
    const std::string id = open_error();
    EXPECT_TRUE(id == "store.corrupt" || id == "store.audit_chain_broken" ||
                id == "store.not_a_store")
        << "page " << page + 1 << ": '" << id << "'";
  }
}

TEST_F(OpeningTest, OpenRefusesATruncatedFile) {
  {
    const auto store = create();
    for (std::uint64_t i = 0; i < 50; ++i) {
      intend(*store, intent_of(i));
    }
  }
  std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 4096);
  EXPECT_EQ(open_error(), "store.corrupt");
}

TEST_F(OpeningTest, OnlyOneOpensTheStoreAtATime) {
  auto first = create();
  EXPECT_EQ(open_error(), "store.locked");
  EXPECT_EQ(create_error(), "store.locked");
  intend(*first, intent_of(1));
  first.reset();
  EXPECT_EQ(open_error(), "");
}

TEST_F(OpeningTest, ARefusedOpenGivesTheLockBack) {
  static_cast<void>(create());
  const std::string version = sql_text(path(), "PRAGMA user_version");
  sql_run(path(), "PRAGMA user_version = 99");
  EXPECT_EQ(open_error(), "store.newer_schema");
  sql_run(path(), "PRAGMA user_version = " + version);
  EXPECT_EQ(open_error(), "");
}

TEST_F(OpeningTest, AFileSystemThatCannotKeepTheLogIsRefused) {
  vfs_.without_shared_memory(true);
  EXPECT_EQ(create_error(), "store.unsafe_settings");
  EXPECT_FALSE(std::filesystem::exists(path()));
  vfs_.without_shared_memory(false);
  static_cast<void>(create());
  vfs_.without_shared_memory(true);
  EXPECT_NE(open_error(), "");
}

}  // namespace
}  // namespace estia::store::test
