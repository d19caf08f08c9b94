// SPDX-License-Identifier: Apache-2.0
#include "hsm/secret_key.h"

#include "hsm/ckr.h"

namespace estia::hsm {

Template wrapping_secret() {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
  wanted.flag(CKA_TOKEN, false).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  wanted.flag(CKA_WRAP, true).flag(CKA_UNWRAP, false);
  wanted.flag(CKA_ENCRYPT, false).flag(CKA_DECRYPT, false);
  wanted.flag(CKA_SIGN, false).flag(CKA_VERIFY, false).flag(CKA_DERIVE, false);
  return wanted;
}

SessionObject make_wrapping_secret(const Module& module, CK_SESSION_HANDLE session) {
  Template wanted = wrapping_secret();
  wanted.number(CKA_VALUE_LEN, kWrappingSecretSize).flag(CKA_EXTRACTABLE, true);
  CK_MECHANISM generation{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  check(module->C_GenerateKey(session, &generation, wanted.data(), wanted.size(), &object),
        "C_GenerateKey");
  return {module, session, object};
}

}  // namespace estia::hsm
