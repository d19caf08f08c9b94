// SPDX-License-Identifier: Apache-2.0
#include "server/store/database.h"

#include <sqlite3.h>

#include <algorithm>

#include "server/store/sql_error.h"

namespace estia::store {
namespace {

constexpr int kBusyMilliseconds = 2000;

[[noreturn]] void fail(sqlite3* connection, int rc, std::string_view what) {
  const int extended = connection == nullptr ? rc : ::sqlite3_extended_errcode(connection);
  std::string detail = connection == nullptr ? ::sqlite3_errstr(rc) : ::sqlite3_errmsg(connection);
  throw SqlError(extended == SQLITE_OK ? rc : extended, detail + " in: " + std::string(what));
}

}  // namespace

Query::~Query() {
  // Their results repeat the error of the last step, which was reported.
  ::sqlite3_reset(statement_);
  ::sqlite3_clear_bindings(statement_);
}

void Query::check(int rc) const {
  if (rc != SQLITE_OK) {
    fail(::sqlite3_db_handle(statement_), rc, ::sqlite3_sql(statement_));
  }
}

Query& Query::bind(ByteView blob) {
  // A null pointer would bind NULL: an empty value is not an unknown one.
  const void* data = blob.empty() ? static_cast<const void*>("") : blob.data();
  check(::sqlite3_bind_blob64(statement_, ++bound_, data, blob.size(), SQLITE_TRANSIENT));
  return *this;
}

Query& Query::bind(std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  check(::sqlite3_bind_text64(statement_, ++bound_, data, text.size(), SQLITE_TRANSIENT,
                              SQLITE_UTF8));
  return *this;
}

Query& Query::bind(std::int64_t integer) {
  check(::sqlite3_bind_int64(statement_, ++bound_, integer));
  return *this;
}

Query& Query::bind(Instant at) {
  return bind(unix_millis(at));
}

Query& Query::bind_null() {
  check(::sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

bool Query::step() {
  const int rc = ::sqlite3_step(statement_);
  if (rc == SQLITE_ROW) {
    return true;
  }
  if (rc != SQLITE_DONE) {
    fail(::sqlite3_db_handle(statement_), rc, ::sqlite3_sql(statement_));
  }
  return false;
}

void Query::run() {
  while (step()) {
  }
}

bool Query::is_null(int column) const {
  return ::sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const {
  return ::sqlite3_column_int64(statement_, column);
}

std::string Query::text(int column) const {
  const unsigned char* data = ::sqlite3_column_text(statement_, column);
  const int size = ::sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size == 0) {
    return {};
  }
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Bytes Query::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(::sqlite3_column_blob(statement_, column));
  const int size = ::sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size == 0) {
    return {};
  }
  return {data, data + size};
}

void Database::Close::operator()(sqlite3* connection) const noexcept {
  ::sqlite3_close(connection);
}

void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  ::sqlite3_finalize(statement);
}

Database::Database(const std::filesystem::path& path, Access access) {
  // Each connection is used by one thread at a time: SQLite need not lock it.
  const int flags = (access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  sqlite3* opened = nullptr;
  const int rc = ::sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  connection_.reset(opened);
  check(rc, "open " + path.string());
  check(::sqlite3_busy_timeout(opened, kBusyMilliseconds), "busy_timeout");
}

Database::~Database() = default;

void Database::check(int rc, std::string_view what) const {
  if (rc != SQLITE_OK) {
    fail(connection_.get(), rc, what);
  }
}

Query Database::query(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* prepared = nullptr;
    check(::sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &prepared, nullptr),
          sql);
    found = statements_.emplace(std::string(sql), std::unique_ptr<sqlite3_stmt, Finalize>(prepared))
                .first;
  }
  if (::sqlite3_stmt_busy(found->second.get()) != 0) {
    throw SqlError(SQLITE_MISUSE, "statement in use: " + std::string(sql));
  }
  return Query(found->second.get());
}

void Database::script(const std::string& sql) {
  check(::sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr), sql);
}

std::int64_t Database::integer_of(std::string_view sql) {
  Query asked = query(sql);
  if (!asked.step()) {
    throw SqlError(SQLITE_ERROR, "no row from: " + std::string(sql));
  }
  return asked.integer(0);
}

std::string Database::text_of(std::string_view sql) {
  Query asked = query(sql);
  if (!asked.step()) {
    throw SqlError(SQLITE_ERROR, "no row from: " + std::string(sql));
  }
  return asked.text(0);
}

bool Database::in_transaction() const noexcept {
  return ::sqlite3_get_autocommit(connection_.get()) == 0;
}

void Database::watch_log() {
  ::sqlite3_wal_hook(
      connection_.get(),
      [](void* pages, sqlite3*, const char*, int in_log) {
        *static_cast<int*>(pages) = in_log;
        return SQLITE_OK;
      },
      &log_pages_);
}

void Database::rewrite_log() {
  constexpr sqlite3_int64 kChunk = 65536;
  sqlite3_file* log = nullptr;
  check(::sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log),
        "JOURNAL_POINTER");
  if (log == nullptr || log->pMethods == nullptr) {
    return;
  }
  const auto done = [](int rc) {
    if (rc != SQLITE_OK) {
      throw SqlError(rc, "rewriting the log");
    }
  };
  sqlite3_int64 size = 0;
  done(log->pMethods->xFileSize(log, &size));
  Bytes chunk(static_cast<std::size_t>(kChunk));
  for (sqlite3_int64 at = 0; at < size; at += kChunk) {
    const int length = static_cast<int>(std::min(kChunk, size - at));
    done(log->pMethods->xRead(log, chunk.data(), length, at));
    done(log->pMethods->xWrite(log, chunk.data(), length, at));
  }
  if (size > 0) {
    done(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL));
  }
}

void Database::checkpoint(Checkpoint mode) {
  const int rc = ::sqlite3_wal_checkpoint_v2(
      connection_.get(), nullptr,
      mode == Checkpoint::passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE, nullptr,
      nullptr);
  check(rc, "checkpoint");
}

void Database::keep_log_on_close() {
  check(::sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr),
        "NO_CKPT_ON_CLOSE");
}

}  // namespace estia::store
