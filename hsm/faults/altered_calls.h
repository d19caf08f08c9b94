// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include "hsm/faults/injector.h"
#include "hsm/faults/other_key.h"
#include "hsm/faults/sessions.h"

namespace estia::hsm::faults {

/// The calls of the real module whose arguments or results may be falsified, or that say which
/// sessions are open. Each does what its namesake does, and nothing else while no rule asks for
/// it. Any thread.
class AlteredCalls final {
 public:
  AlteredCalls(const CK_FUNCTION_LIST& real, Injector& injector, Sessions& sessions)
      : real_(real), injector_(injector), sessions_(sessions), other_key_(real) {}

  CK_RV finalize(void* reserved);
  CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info);
  CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                     CK_SESSION_HANDLE* session);
  CK_RV close_session(CK_SESSION_HANDLE session);
  CK_RV close_all_sessions(CK_SLOT_ID slot);
  CK_RV logout(CK_SESSION_HANDLE session);
  CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  CK_RV sign(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG size,
             unsigned char* signature, CK_ULONG* signature_size);
  CK_RV sign_final(CK_SESSION_HANDLE session, unsigned char* signature, CK_ULONG* signature_size);

 private:
  CK_RV sign_init_with(const KeyName& other, CK_SLOT_ID slot, CK_SESSION_HANDLE session,
                       CK_MECHANISM* mechanism);
  void corrupt(CK_RV rv, unsigned char* signature, const CK_ULONG* size);

  const CK_FUNCTION_LIST& real_;
  Injector& injector_;
  Sessions& sessions_;
  OtherKey other_key_;
};

}  // namespace estia::hsm::faults
