// SPDX-License-Identifier: Apache-2.0
#include "server/store/migrations.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>

#include "crypto/base/error.h"
#include "crypto/x509/name.h"
#include "server/ca/end_entity.h"
#include "server/store/schema.h"
#include "server/store/sql_error.h"

namespace estia::store {
namespace {

const std::array kMigrations{
    Migration{1, kFirst},      Migration{2, kEndEntities},        Migration{3, kUniqueness},
    Migration{4, kAnchorCrls}, Migration{5, kRegisteredSubjects}, Migration{6, kDecryptKeys}};

/// A canonical document as the first release printed it: `username_field = "CN"` becomes
/// `name_parameters = ["CN"]`. Lines of a certificate cannot be mistaken for it.
std::string naming_of_aliases(std::string_view document) {
  constexpr std::string_view kOld = "username_field = ";
  std::string out;
  while (!document.empty()) {
    const std::size_t end = std::min(document.find('\n'), document.size());
    const std::string_view line = document.substr(0, end);
    if (line.starts_with(kOld)) {
      const std::string_view field = line.substr(kOld.size());
      // Lists of fields call the surname so; SN is the serialNumber in them.
      out += "name_parameters = [" + std::string(field == "\"SN\"" ? "\"SURNAME\"" : field) + "]";
    } else {
      out += line;
    }
    out += end < document.size() ? "\n" : "";
    document.remove_prefix(std::min(end + 1, document.size()));
  }
  return out;
}

std::string username_key_of(ByteView text) {
  return ca::username_key(as_text(text));
}

std::string naming_of(ByteView text) {
  return naming_of_aliases(as_text(text));
}

std::string canonical_subject(ByteView der) {
  return std::string(as_text(crypto::Name::from_der(der).canonical()));
}

enum class Result { text, blob };

/// Functions of one value for the steps that move rows.
using StepFunction = std::string (*)(ByteView);

template <StepFunction kFunction, Result kResult>
void add_function(Database& database, const char* name) {
  constexpr auto kCall = [](sqlite3_context* context, int, sqlite3_value** values) {
    const auto* data = static_cast<const std::uint8_t*>(::sqlite3_value_blob(values[0]));
    const auto size = static_cast<std::size_t>(::sqlite3_value_bytes(values[0]));
    std::string result;
    try {
      result = kFunction(data == nullptr ? ByteView() : ByteView(data, size));
    } catch (const std::exception& error) {  // not through SQLite's frames
      ::sqlite3_result_error(context, error.what(), -1);
      return;
    }
    if constexpr (kResult == Result::text) {
      ::sqlite3_result_text(context, result.data(), static_cast<int>(result.size()),
                            SQLITE_TRANSIENT);
    } else {
      ::sqlite3_result_blob(context, result.data(), static_cast<int>(result.size()),
                            SQLITE_TRANSIENT);
    }
  };
  const int rc =
      ::sqlite3_create_function_v2(database.handle(), name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                   nullptr, kCall, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) {
    throw SqlError(rc, std::string("create_function ") + name);
  }
}

void apply(Database& database, const Migration& step) {
  database.run("BEGIN IMMEDIATE");
  try {
    database.script(step.sql);
    database.script("PRAGMA user_version = " + std::to_string(step.version));
    database.run("COMMIT");
  } catch (...) {
    if (database.in_transaction()) {
      database.run("ROLLBACK");
    }
    throw;
  }
}

}  // namespace

std::span<const Migration> migrations() noexcept {
  return kMigrations;
}

void require_known_schema(Database& database, std::span<const Migration> steps) {
  const std::int64_t present = database.integer_of("PRAGMA user_version");
  const std::int64_t newest = steps.empty() ? 0 : steps.back().version;
  if (present > newest) {
    throw Error(
        ErrorCode::config, "store.newer_schema",
        "the store was written by a newer version of Estia",
        "schema " + std::to_string(present) + ", this program knows " + std::to_string(newest));
  }
}

void migrate(Database& database, std::span<const Migration> steps) {
  require_known_schema(database, steps);
  add_function<username_key_of, Result::text>(database, "username_key");
  add_function<naming_of, Result::text>(database, "naming_of_aliases");
  add_function<canonical_subject, Result::blob>(database, "canonical_subject");
  const std::int64_t present = database.integer_of("PRAGMA user_version");
  for (const Migration& step : steps) {
    if (step.version > present) {
      apply(database, step);
    }
  }
}

}  // namespace estia::store
