// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "hsm/faults/order.h"

namespace estia::hsm::faults {

/// The sessions that the program has open in the real module, by slot, and the cap on them. Any
/// thread.
class Sessions final {
 public:
  void set_cap(const SessionCap& cap);
  [[nodiscard]] SessionCap cap() const;

  /// Before C_OpenSession: false if the cap is reached. Otherwise a place is taken until opened()
  /// or gone() says what became of it.
  [[nodiscard]] bool begin_open(CK_SLOT_ID slot);
  /// Before C_CloseSession, since the module may give the handle away again at once: the session
  /// keeps its place until opened() (it is still there) or gone(). nullopt: not known.
  [[nodiscard]] std::optional<CK_SLOT_ID> begin_close(CK_SESSION_HANDLE session);
  void opened(CK_SLOT_ID slot, CK_SESSION_HANDLE session);
  void gone(CK_SLOT_ID slot);
  void closed_all(CK_SLOT_ID slot);
  void forget_all();

  [[nodiscard]] std::optional<CK_SLOT_ID> slot_of(CK_SESSION_HANDLE session) const;
  /// One open session of each slot that has any.
  [[nodiscard]] std::map<CK_SLOT_ID, CK_SESSION_HANDLE> one_of_each_slot() const;
  [[nodiscard]] std::size_t open() const;

 private:
  mutable std::mutex mutex_;  // guards everything below
  SessionCap cap_;
  std::map<CK_SESSION_HANDLE, CK_SLOT_ID> open_;
  std::map<CK_SLOT_ID, std::size_t> between_;  // places of begin_open() and begin_close()
};

}  // namespace estia::hsm::faults
