// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <map>
#include <mutex>
#include <optional>

#include "hsm/faults/order.h"

namespace estia::hsm::faults {

/// The handle of the private key that signs in place of the right one, remembered for each slot:
/// some modules bear no search while others work. Any thread.
class OtherKey final {
 public:
  explicit OtherKey(const CK_FUNCTION_LIST& real) : real_(real) {}

  /// The first private key of that name in the slot, seen through a session of its own, so that
  /// the caller's may have a search going on. nullopt if there is none.
  [[nodiscard]] std::optional<CK_OBJECT_HANDLE> find(CK_SLOT_ID slot, const KeyName& name);
  /// After a logout, or when the module does not know the handle any more.
  void forget();

 private:
  [[nodiscard]] std::optional<CK_OBJECT_HANDLE> search(CK_SLOT_ID slot, const KeyName& name) const;

  const CK_FUNCTION_LIST& real_;
  std::mutex mutex_;  // guards what follows
  KeyName name_;
  std::map<CK_SLOT_ID, CK_OBJECT_HANDLE> handles_;
};

}  // namespace estia::hsm::faults
