// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "server/ca/model.h"

namespace estia::est {

/// What a request is addressed to: one alias of one snapshot, which lives as long as the request
/// needs it (D7).
struct Target {
  std::shared_ptr<const ca::Snapshot> snapshot;
  const ca::Alias* alias = nullptr;  ///< inside the snapshot, never null once routed
};

}  // namespace estia::est
