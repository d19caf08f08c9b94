// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "crypto/base/secret.h"

namespace estia::hsm {

/// Where a PIN comes from: a file that only its owner can read (0600).
struct PinSource {
  std::filesystem::path file;

  /// The PIN, one line end removed. Throws Error{config, "file...."} for a file that others can
  /// read, that is missing or empty: some modules take an empty PIN for "already logged in"
  /// (CVE-2023-40660). Called once per login, so that no PIN stays in memory.
  [[nodiscard]] Secret read() const;
};

}  // namespace estia::hsm
