// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/other_key.h"

#include <vector>

namespace estia::hsm::faults {
namespace {

std::optional<CK_OBJECT_HANDLE> first_match(const CK_FUNCTION_LIST& real, CK_SESSION_HANDLE session,
                                            std::vector<CK_ATTRIBUTE>& wanted) {
  if (real.C_FindObjectsInit(session, wanted.data(), wanted.size()) != CKR_OK) {
    return std::nullopt;
  }
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  CK_ULONG found = 0;
  const CK_RV rv = real.C_FindObjects(session, &object, 1, &found);
  real.C_FindObjectsFinal(session);
  return rv == CKR_OK && found == 1 ? std::optional(object) : std::nullopt;
}

}  // namespace

std::optional<CK_OBJECT_HANDLE> OtherKey::find(CK_SLOT_ID slot, const KeyName& name) {
  {
    const std::scoped_lock lock(mutex_);
    if (!(name == name_)) {
      handles_.clear();
      name_ = name;
    }
    if (const auto known = handles_.find(slot); known != handles_.end()) {
      return known->second;
    }
  }
  const auto object = search(slot, name);  // without the lock: it calls the real module
  if (object) {
    const std::scoped_lock lock(mutex_);
    if (name == name_) {
      handles_.insert_or_assign(slot, *object);
    }
  }
  return object;
}

void OtherKey::forget() {
  const std::scoped_lock lock(mutex_);
  handles_.clear();
}

std::optional<CK_OBJECT_HANDLE> OtherKey::search(CK_SLOT_ID slot, const KeyName& name) const {
  CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
  KeyName asked = name;
  std::vector<CK_ATTRIBUTE> wanted = {{CKA_CLASS, &private_key, sizeof private_key}};
  if (!asked.id.empty()) {
    wanted.push_back({CKA_ID, asked.id.data(), asked.id.size()});
  }
  if (!asked.label.empty()) {
    wanted.push_back({CKA_LABEL, asked.label.data(), asked.label.size()});
  }
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  if (real_.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session) != CKR_OK) {
    return std::nullopt;
  }
  const auto object = first_match(real_, session, wanted);
  real_.C_CloseSession(session);
  return object;
}

}  // namespace estia::hsm::faults
