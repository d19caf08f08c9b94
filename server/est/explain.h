// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/ca/enrollment.h"
#include "server/ca/explanation.h"
#include "server/ca/registry.h"
#include "server/est/key_delivery.h"

namespace estia::est {

/// What decides a request, and is only asked here.
struct Deciders {
  const ca::SnapshotSource& snapshots;
  const ca::Registry& registry;
  const ca::EndEntityStore& entities;
  const ca::Enrollment& enrollment;
  const KeyDelivery& delivery;
  const Clock& clock;
};

/// What would become of a request (`estia explain`): the decisions of Enroll in their order, by the
/// same code. Nothing is issued or recorded, no code is used up, and a wrong password counts for
/// nobody's back-off. What is not asked: transport, media type, channel binding, the token. A
/// refusal is in the answer; throws Error{store, ...} only. Any thread.
[[nodiscard]] ca::Explanation explain(const ca::Question& question, const Deciders& deciders);

}  // namespace estia::est
