// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "server/store/database.h"

namespace estia::store {

/// One step of the schema. Once released it never changes: a correction is another step.
struct Migration {
  std::int64_t version;  ///< 1, 2, 3... without gaps
  const char* sql;
};

/// Every step, in order.
[[nodiscard]] std::span<const Migration> migrations() noexcept;

/// Throws Error{config, "store.newer_schema"} when the database is ahead of the steps.
void require_known_schema(Database& database, std::span<const Migration> steps);

/// Applies the steps after the database's user_version, each in a transaction of its own together
/// with its number. Throws Error{config, "store.newer_schema"}; SqlError when a step fails: the
/// database then stands at the step before it.
void migrate(Database& database, std::span<const Migration> steps);

}  // namespace estia::store
