// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module that does what ESTIA_BROKEN_MODULE_DOES says in C_Initialize: "crash", "exit"
// or "hang", else it fails. It talks on both outputs first.
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>

namespace {

CK_RV initialise(void* /*args*/) {
  static_cast<void>(!::write(STDOUT_FILENO, "noise on out\n", 13));
  static_cast<void>(!::write(STDERR_FILENO, "noise on err\n", 13));
  const char* wanted = ::getenv("ESTIA_BROKEN_MODULE_DOES");
  if (wanted != nullptr && std::strcmp(wanted, "crash") == 0) {
    ::raise(SIGKILL);
  }
  if (wanted != nullptr && std::strcmp(wanted, "exit") == 0) {
    ::_exit(7);
  }
  while (wanted != nullptr && std::strcmp(wanted, "hang") == 0) {
    ::pause();
  }
  return CKR_GENERAL_ERROR;
}

/// Nobody comes as far, but a module without them is refused before it is initialised.
template <class... Arguments>
CK_RV fails(Arguments... /*arguments*/) {
  return CKR_GENERAL_ERROR;
}

template <class... Arguments>
void fill(CK_RV (*&entry)(Arguments...)) {
  entry = fails<Arguments...>;
}

CK_FUNCTION_LIST functions{};

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  functions.version = {2, 40};
  functions.C_Initialize = initialise;
  fill(functions.C_Finalize);
  fill(functions.C_GetSlotList);
  fill(functions.C_GetTokenInfo);
  fill(functions.C_OpenSession);
  fill(functions.C_CloseSession);
  fill(functions.C_Login);
  fill(functions.C_FindObjectsInit);
  fill(functions.C_FindObjects);
  fill(functions.C_FindObjectsFinal);
  fill(functions.C_GetAttributeValue);
  fill(functions.C_GenerateKeyPair);
  fill(functions.C_DestroyObject);
  fill(functions.C_SignInit);
  fill(functions.C_Sign);
  *list = &functions;
  return CKR_OK;
}
