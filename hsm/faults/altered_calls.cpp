// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/altered_calls.h"

namespace estia::hsm::faults {

CK_RV AlteredCalls::finalize(void* reserved) {
  const CK_RV rv = real_.C_Finalize(reserved);
  if (rv == CKR_OK) {
    sessions_.forget_all();
    other_key_.forget();
  }
  return rv;
}

CK_RV AlteredCalls::get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = real_.C_GetTokenInfo(slot, info);
  const SessionCap cap = sessions_.cap();
  if (rv == CKR_OK && cap.limit && cap.told) {
    info->ulMaxSessionCount = *cap.limit;
    info->ulMaxRwSessionCount = *cap.limit;
  }
  return rv;
}

CK_RV AlteredCalls::open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application,
                                 CK_NOTIFY notify, CK_SESSION_HANDLE* session) {
  if (!sessions_.begin_open(slot)) {
    injector_.count_fault(function_index("C_OpenSession"));
    return CKR_SESSION_COUNT;
  }
  const CK_RV rv = real_.C_OpenSession(slot, flags, application, notify, session);
  if (rv == CKR_OK) {
    sessions_.opened(slot, *session);
  } else {
    sessions_.gone(slot);
  }
  return rv;
}

CK_RV AlteredCalls::close_session(CK_SESSION_HANDLE session) {
  const auto slot = sessions_.begin_close(session);
  const CK_RV rv = real_.C_CloseSession(session);
  if (slot) {
    const bool is_gone =
        rv == CKR_OK || rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED;
    is_gone ? sessions_.gone(*slot) : sessions_.opened(*slot, session);
  }
  return rv;
}

CK_RV AlteredCalls::close_all_sessions(CK_SLOT_ID slot) {
  const CK_RV rv = real_.C_CloseAllSessions(slot);
  if (rv == CKR_OK) {
    sessions_.closed_all(slot);
    other_key_.forget();
  }
  return rv;
}

CK_RV AlteredCalls::logout(CK_SESSION_HANDLE session) {
  const CK_RV rv = real_.C_Logout(session);
  other_key_.forget();
  return rv;
}

/// Without a mechanism the call ends an operation (PKCS #11 3.0): there is no key in it.
CK_RV AlteredCalls::sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                              CK_OBJECT_HANDLE key) {
  const auto slot = sessions_.slot_of(session);
  if (mechanism != nullptr && slot) {
    if (const auto rule = injector_.take(Kind::sign_with_other, function_index("C_SignInit"))) {
      return sign_init_with(rule->other, *slot, session, mechanism);
    }
  }
  return real_.C_SignInit(session, mechanism, key);
}

/// A key that is not there is a failure: going on with the right one would test nothing.
CK_RV AlteredCalls::sign_init_with(const KeyName& other, CK_SLOT_ID slot, CK_SESSION_HANDLE session,
                                   CK_MECHANISM* mechanism) {
  CK_RV rv = CKR_GENERAL_ERROR;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto key = other_key_.find(slot, other);
    if (!key) {
      return CKR_GENERAL_ERROR;
    }
    rv = real_.C_SignInit(session, mechanism, *key);
    if (rv != CKR_KEY_HANDLE_INVALID && rv != CKR_OBJECT_HANDLE_INVALID) {
      break;
    }
    other_key_.forget();  // the handle was an old one
  }
  return rv;
}

CK_RV AlteredCalls::sign(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG size,
                         unsigned char* signature, CK_ULONG* signature_size) {
  const CK_RV rv = real_.C_Sign(session, data, size, signature, signature_size);
  corrupt(rv, signature, signature_size);
  return rv;
}

CK_RV AlteredCalls::sign_final(CK_SESSION_HANDLE session, unsigned char* signature,
                               CK_ULONG* signature_size) {
  const CK_RV rv = real_.C_SignFinal(session, signature, signature_size);
  corrupt(rv, signature, signature_size);
  return rv;
}

/// Calls that only ask for the size are no signatures, and no rule counts them.
void AlteredCalls::corrupt(CK_RV rv, unsigned char* signature, const CK_ULONG* size) {
  if (rv == CKR_OK && signature != nullptr && *size > 0 &&
      injector_.take(Kind::corrupt_signature, function_index("C_Sign"))) {
    signature[*size - 1] ^= 1U;
  }
}

}  // namespace estia::hsm::faults
