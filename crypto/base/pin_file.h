// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "crypto/base/secret.h"

namespace estia {

// A file that is to hold a token's PIN. What was hardly meant is refused before a token sees it,
// where it would count as a wrong PIN.

/// As read_secret_file. Throws also Error{config, "file.secret_lines"} for a second line (an empty
/// one, too) and Error{config, "file.secret_blank"} for a blank at either end.
[[nodiscard]] Secret read_pin_file(const std::filesystem::path& path);

/// The same, as read_credential_file.
[[nodiscard]] Secret read_pin_credential(const std::filesystem::path& path);

/// Whether it has a blank, or a tabulator, at either end: no PIN file may hold it.
[[nodiscard]] bool has_blank_end(std::string_view pin) noexcept;

}  // namespace estia
