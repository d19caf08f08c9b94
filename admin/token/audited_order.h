// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "admin/token/token_place.h"

namespace estia::admin {

/// Carries an operator's order out. The audit trail says so before it is tried, and what became of
/// it: "ok" or the id of what went wrong, a row each for every one of `details`. Null for `state`:
/// nobody keeps a trail. Throws what `order` throws, and Error{store, ...}: the order was not
/// tried, or was carried out and only its end is missing from the trail.
void audited(HeldState* state, const std::string& what, const std::vector<std::string>& details,
             const std::function<void()>& order);

}  // namespace estia::admin
