// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "admin/cli/backend.h"

namespace estia::admin {

/// The commands' backend where estiad is stopped. From its first call on it holds the state
/// directory's lock as long as it lives; that call throws what OpenState throws.
[[nodiscard]] std::unique_ptr<Backend> open_offline(const std::filesystem::path& state);

}  // namespace estia::admin
