// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace estia {

/// As long as one lives, what this thread gives back to the heap by `delete` is wiped first: for a
/// library that copies a secret into buffers of its own, which grow. They nest. Costs other
/// threads, and this one otherwise, a look at a flag. Memory that others will free stays as it is.
class WipedHeap final {
 public:
  WipedHeap() noexcept;
  ~WipedHeap();
  WipedHeap(const WipedHeap&) = delete;
  WipedHeap& operator=(const WipedHeap&) = delete;
  WipedHeap(WipedHeap&&) = delete;
  WipedHeap& operator=(WipedHeap&&) = delete;
};

}  // namespace estia
