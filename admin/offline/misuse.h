// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "crypto/base/error.h"

namespace estia::admin {

/// Calls `parse` and turns an Error about its text into a misused option (exit status 2).
template <class Parse>
auto as_option(const std::string& option, Parse&& parse) {
  try {
    return parse();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::config && error.code() != ErrorCode::malformed) {
      throw;
    }
    throw CLI::ValidationError(option, error.what());
  }
}

}  // namespace estia::admin
