// SPDX-License-Identifier: Apache-2.0
#include "hsm/session_pair.h"

#include <utility>

#include "crypto/base/random.h"
#include "hsm/ckr.h"
#include "hsm/key_templates.h"

namespace estia::hsm {

SessionPair make_session_pair(const Module& module, CK_SESSION_HANDLE session,
                              const crypto::KeySpec& spec) {
  SessionPair pair;
  random_fill(pair.id);
  Template public_wanted = exportable_public(spec, pair.id);
  Template private_wanted = exportable_private(pair.id);
  CK_MECHANISM mechanism{generation_mechanism(spec), nullptr, 0};
  check(module->C_GenerateKeyPair(session, &mechanism, public_wanted.data(), public_wanted.size(),
                                  private_wanted.data(), private_wanted.size(), &pair.public_object,
                                  &pair.private_object),
        "C_GenerateKeyPair");
  return pair;
}

PairGuard::~PairGuard() {
  static_cast<void>(destroy_objects());
}

void PairGuard::destroy() {
  check(destroy_objects(), "C_DestroyObject");
}

CK_RV PairGuard::destroy_objects() noexcept {
  CK_RV result = CKR_OK;
  for (CK_OBJECT_HANDLE* object : {&pair_.private_object, &pair_.public_object}) {
    if (*object == CK_INVALID_HANDLE) {
      continue;
    }
    const CK_RV rv =
        module_->C_DestroyObject(lease_.handle(), std::exchange(*object, CK_INVALID_HANDLE));
    if (rv != CKR_OK) {
      lease_.mark_broken();
      result = rv;
    }
  }
  return result;
}

}  // namespace estia::hsm
