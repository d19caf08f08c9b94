// SPDX-License-Identifier: Apache-2.0
#include "server/store/sql_error.h"

#include <sqlite3.h>

#include <utility>

namespace estia::store {
namespace {

int primary(int extended) {
  return extended & 0xFF;
}

/// Room for the shared-memory index is room on the disk, whatever SQLite calls it.
bool out_of_room(int extended) {
  return primary(extended) == SQLITE_FULL || extended == SQLITE_IOERR_SHMSIZE;
}

Reach reach_of(int extended) {
  if (out_of_room(extended)) {
    return Reach::batch;
  }
  switch (primary(extended)) {
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
      return Reach::job;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return Reach::batch;
    default:
      return Reach::store;
  }
}

const char* id_of(int extended) {
  if (out_of_room(extended)) {
    return "store.full";
  }
  switch (primary(extended)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "store.busy";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "store.corrupt";
    default:
      return reach_of(extended) == Reach::job ? "store.refused" : "store.io";
  }
}

}  // namespace

SqlError::SqlError(int extended, const std::string& detail)
    : Error(reach_of(extended) == Reach::job ? ErrorCode::internal : ErrorCode::store,
            id_of(extended), "the CA cannot use its store at the moment",
            "SQLite " + std::to_string(extended) + ": " + detail),
      extended_(extended) {}

Reach SqlError::reach() const noexcept {
  return reach_of(extended_);
}

}  // namespace estia::store
