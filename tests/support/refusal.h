// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/error.h"

namespace estia::test {

/// "category id" of the Error that `action` throws, "none" when it throws nothing. Any other
/// exception leaves the test.
template <class Action>
[[nodiscard]] std::string refusal(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + " " + error.id();
  }
  return "none";
}

}  // namespace estia::test
