// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <string>
#include <string_view>

#include "hsm/faults/injector.h"
#include "hsm/faults/sessions.h"

namespace estia::hsm::faults {

/// What orders work on.
struct Controlled {
  Injector& injector;
  Sessions& sessions;
  const CK_FUNCTION_LIST& real;
  std::string module;  ///< path of the real module, for `status`
};

/// Carries out one line. The answer is lines of text, the last of them "ok" or "error: ...", after
/// which nothing has changed (but `hold` and `real`, which say what they did). Blocks as long as
/// `hold`, `wait` and `real` take; the first two end when `gone`. Any thread.
[[nodiscard]] std::string carry_out(const Controlled& controlled, std::string_view line,
                                    const Injector::Gone& gone);

}  // namespace estia::hsm::faults
