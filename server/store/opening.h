// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crypto/base/clock.h"
#include "server/store/database.h"

namespace estia::store {

/// The same file without symbolic links in its folder; the last component is kept, since it must
/// not be one. Throws Error{config, "store.missing"} when there is no such folder.
[[nodiscard]] std::filesystem::path without_links(const std::filesystem::path& path);

/// Throws Error{config, "store.missing" | "store.unsafe_file"} unless the path is a regular file of
/// mode 0600 or less.
void require_own_file(const std::filesystem::path& path);

/// Makes a new store (0600) with schema and an empty audit chain for `node`. Throws Error{conflict,
/// "store.exists"}, Error{config, "store.node_name"}; leaves no file behind when it fails.
[[nodiscard]] std::unique_ptr<Database> create_database(const std::filesystem::path& path,
                                                        const std::string& node,
                                                        const Clock& clock);

/// Opens an existing store for writing: what the log holds is moved into the database, which is
/// then checked, migrated, and its audit chain recomputed. Throws Error{config, "store.not_a_store"
/// | "store.newer_schema"}, Error{store, "store.corrupt" | "store.unsafe_settings" |
/// "store.audit_chain_broken"}.
[[nodiscard]] std::unique_ptr<Database> open_database(const std::filesystem::path& path);

/// A connection that sees committed rows only and can change nothing, the log included.
[[nodiscard]] std::unique_ptr<Database> open_reader(const std::filesystem::path& path);

}  // namespace estia::store
