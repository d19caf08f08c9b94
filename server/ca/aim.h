// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "server/ca/authorisation.h"

namespace estia::ca {

/// Whose certificate a request is about, before anything was decided: for people who ask why it is
/// refused. Empty what cannot be told, a username that is made anew each time among it.
struct Aim {
  std::string username{};
  std::string ca{};
};

/// Throws Error{store, ...} only.
[[nodiscard]] Aim aim_of(const Request& request, const EndEntityStore& entities);

}  // namespace estia::ca
