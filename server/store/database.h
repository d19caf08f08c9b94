// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"

struct sqlite3;
struct sqlite3_stmt;

namespace estia::store {

/// One execution of a prepared statement, which goes back to its connection when this ends.
/// Parameters are bound in the order of their `?`; values are copied. Every call throws SqlError.
class Query final {
 public:
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query(Query&&) = delete;
  Query& operator=(Query&&) = delete;

  Query& bind(ByteView blob);
  Query& bind(std::string_view text);
  Query& bind(std::int64_t integer);
  Query& bind(Instant at);  ///< as unix milliseconds
  Query& bind_null();

  /// True while there is a row.
  [[nodiscard]] bool step();
  /// To the end; rows are ignored.
  void run();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Bytes blob(int column) const;
  [[nodiscard]] Instant instant(int column) const { return from_unix_millis(integer(column)); }

 private:
  friend class Database;
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  void check(int rc) const;

  sqlite3_stmt* statement_;
  int bound_ = 0;
};

enum class Access { read_write, read_only };

/// One SQLite connection with its prepared statements. Used by one thread at a time. Every call
/// throws SqlError.
class Database final {
 public:
  /// The file must exist; the last component of the path must not be a symbolic link.
  Database(const std::filesystem::path& path, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Database(Database&&) = delete;
  Database& operator=(Database&&) = delete;

  /// `sql` is prepared once per connection; the same text must not be in use already.
  [[nodiscard]] Query query(std::string_view sql);
  /// Statements that take and give nothing: prepared once like any other.
  void run(std::string_view sql) { query(sql).run(); }
  /// Several statements, not kept: settings and schema.
  void script(const std::string& sql);
  /// The first column of the first row of a statement that must give one.
  [[nodiscard]] std::int64_t integer_of(std::string_view sql);
  [[nodiscard]] std::string text_of(std::string_view sql);

  [[nodiscard]] bool in_transaction() const noexcept;
  /// From here on log_pages() is kept, in place of SQLite's automatic checkpoints.
  void watch_log();
  /// Pages in the write-ahead log after this connection's last commit.
  [[nodiscard]] int log_pages() const noexcept { return log_pages_; }
  /// Writes the log's own bytes over themselves and syncs them. Only while no other connection uses
  /// the file. After a sync that failed, the page cache may show bytes that no later sync writes.
  void rewrite_log();
  enum class Checkpoint { passive, truncate };
  void checkpoint(Checkpoint mode);
  /// Closing must not move the log into the database: for readers, and after a failed write.
  void keep_log_on_close();
  [[nodiscard]] sqlite3* handle() const noexcept { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  void check(int rc, std::string_view what) const;

  int log_pages_ = 0;
  std::unique_ptr<sqlite3, Close> connection_;  // after log_pages_, which its commit hook writes
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
};

}  // namespace estia::store
