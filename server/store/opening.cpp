// SPDX-License-Identifier: Apache-2.0
#include "server/store/opening.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "crypto/base/error.h"
#include "server/store/audit_chain.h"
#include "server/store/migrations.h"
#include "server/store/sql_error.h"

namespace estia::store {
namespace {

constexpr std::int64_t kApplicationId = 0x45535449;  // "ESTI"
constexpr std::int64_t kFull = 2;                    // PRAGMA synchronous
constexpr std::size_t kLongestNodeName = 64;

void require_node_name(std::string_view node) {
  const bool letters_only = std::all_of(node.begin(), node.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (node.empty() || node.size() > kLongestNodeName || !letters_only) {
    throw Error(ErrorCode::config, "store.node_name",
                "a node's name is 1 to 64 letters, digits, dots, underscores and hyphens");
  }
}

/// What every connection is given: the schema is data from a file and must not run anything.
void confine(Database& database) {
  constexpr std::array kSwitches{
      std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
      std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      std::pair{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
      std::pair{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      std::pair{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      std::pair{SQLITE_DBCONFIG_DQS_DDL, 0},
      std::pair{SQLITE_DBCONFIG_DQS_DML, 0},
      std::pair{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
  };
  for (const auto& [option, wanted] : kSwitches) {
    int actual = -1;
    const int rc = ::sqlite3_db_config(database.handle(), option, wanted, &actual);
    if (rc != SQLITE_OK || actual != wanted) {
      throw Error(ErrorCode::store, "store.unsafe_settings", "the store cannot be opened safely",
                  "SQLITE_DBCONFIG " + std::to_string(option) + " stays " + std::to_string(actual));
    }
  }
  database.script("PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
}

/// Anything less than a sync per commit loses answered requests at a power cut.
void make_durable(Database& database) {
  const std::string journal = database.text_of("PRAGMA journal_mode = WAL");
  // Checkpoints are called by the writer itself: SQLite's automatic ones hide their errors.
  database.script(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
      "PRAGMA journal_size_limit = 67108864");
  const std::int64_t synchronous = database.integer_of("PRAGMA synchronous");
  if (journal != "wal" || synchronous < kFull) {
    throw Error(ErrorCode::store, "store.unsafe_settings", "the store cannot be opened safely",
                "journal_mode " + journal + ", synchronous " + std::to_string(synchronous));
  }
  database.watch_log();
}

void require_store(Database& database, const std::filesystem::path& path) {
  if (database.integer_of("PRAGMA application_id") != kApplicationId ||
      database.integer_of("PRAGMA user_version") < 1) {
    throw Error(ErrorCode::config, "store.not_a_store", path.string() + " is not a store of Estia");
  }
}

void require_sound(Database& database) {
  const std::string finding = database.text_of("PRAGMA quick_check(1)");
  if (finding != "ok") {
    throw Error(ErrorCode::store, "store.corrupt", "the store is damaged", finding);
  }
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!synced) {
    throw Error(ErrorCode::store, "store.io", "the store cannot be written",
                folder.string() + ": " + std::generic_category().message(error));
  }
}

void create_file(const std::filesystem::path& path) {
  const int descriptor =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    if (errno == EEXIST) {
      throw Error(ErrorCode::conflict, "store.exists", path.string() + " exists already");
    }
    throw Error(ErrorCode::store, "store.io", "the store cannot be written",
                path.string() + ": " + std::generic_category().message(errno));
  }
  ::close(descriptor);
}

void remove_files(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::filesystem::remove(path.string() + suffix, ignored);
  }
}

}  // namespace

std::filesystem::path without_links(const std::filesystem::path& path) {
  std::error_code error;
  const auto folder =
      std::filesystem::canonical(std::filesystem::absolute(path).parent_path(), error);
  if (error || !path.has_filename()) {
    throw Error(ErrorCode::config, "store.missing", "there is no folder for " + path.string(),
                error.message());
  }
  return folder / path.filename();
}

void require_own_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    throw Error(ErrorCode::config, "store.missing", "there is no store at " + path.string(),
                std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(ErrorCode::config, "store.unsafe_file",
                path.string() + " must be a regular file that only its owner may use (mode 0600)");
  }
}

std::unique_ptr<Database> create_database(const std::filesystem::path& path,
                                          const std::string& node, const Clock& clock) {
  require_node_name(node);
  create_file(path);
  try {
    sync_folder(path.parent_path());
    auto database = std::make_unique<Database>(path, Access::read_write);
    confine(*database);
    make_durable(*database);
    migrate(*database, migrations());
    database->run("BEGIN IMMEDIATE");
    database->query("INSERT INTO meta(node, created_at) VALUES(?, ?)")
        .bind(node)
        .bind(clock.now())
        .run();
    AuditChain::begin(*database, node);
    database->script("PRAGMA application_id = " + std::to_string(kApplicationId));
    database->run("COMMIT");
    return database;
  } catch (...) {
    remove_files(path);
    throw;
  }
}

std::unique_ptr<Database> open_database(const std::filesystem::path& path) {
  auto database = std::make_unique<Database>(path, Access::read_write);
  confine(*database);
  require_store(*database, path);
  require_known_schema(*database, migrations());
  make_durable(*database);
  // What a process left in the log may never have reached the disk, although the page cache shows
  // it (a sync failed). First the log, then the database: the other way round, a power cut in
  // between would lay an older log over a newer database.
  database->rewrite_log();
  database->checkpoint(Database::Checkpoint::truncate);
  require_sound(*database);
  migrate(*database, migrations());
  static_cast<void>(verify_audit_chains(*database));
  return database;
}

std::unique_ptr<Database> open_reader(const std::filesystem::path& path) {
  auto database = std::make_unique<Database>(path, Access::read_only);
  confine(*database);
  database->keep_log_on_close();
  database->script("PRAGMA query_only = ON");
  return database;
}

}  // namespace estia::store
