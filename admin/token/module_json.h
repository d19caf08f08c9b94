// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "hsm/module_report.h"

namespace estia::admin {

/// {library, slots} as docs/cli.md lists them.
[[nodiscard]] nlohmann::ordered_json module_json(const hsm::ModuleReport& report);

}  // namespace estia::admin
