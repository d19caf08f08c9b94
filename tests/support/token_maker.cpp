// SPDX-License-Identifier: Apache-2.0
// token_maker MODULE SO-PIN-FILE PIN-FILE LABEL...: initialises one token per label by raw PKCS #11
// calls. A process of its own, since SoftHSM keeps what it read at its first call.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/base/file.h"

namespace {

using estia::Secret;

CK_FUNCTION_LIST* load(const char* path) {
  void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  CK_FUNCTION_LIST* functions = nullptr;
  const auto get =
      library == nullptr
          ? nullptr
          : reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get == nullptr || get(&functions) != CKR_OK) {
    throw std::runtime_error("cannot load the module");
  }
  return functions;
}

void check(CK_RV rv, const char* function) {
  if (rv != CKR_OK) {
    throw std::runtime_error(std::string(function) + " failed with " + std::to_string(rv));
  }
}

CK_SLOT_ID empty_slot(const CK_FUNCTION_LIST* call) {
  CK_ULONG count = 0;
  check(call->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  check(call->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    check(call->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0) {
      return slot;
    }
  }
  throw std::runtime_error("no free slot");
}

CK_UTF8CHAR* writable(const Secret& secret) {
  return const_cast<CK_UTF8CHAR*>(secret.view().data());
}

void make(const CK_FUNCTION_LIST* call, const Secret& so_pin, const Secret& pin,
          std::string label) {
  const CK_SLOT_ID slot = empty_slot(call);
  label.resize(32, ' ');
  check(call->C_InitToken(slot, writable(so_pin), so_pin.size(),
                          reinterpret_cast<CK_UTF8CHAR*>(label.data())),
        "C_InitToken");
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  check(call->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session),
        "C_OpenSession");
  check(call->C_Login(session, CKU_SO, writable(so_pin), so_pin.size()), "C_Login");
  check(call->C_InitPIN(session, writable(pin), pin.size()), "C_InitPIN");
  check(call->C_Logout(session), "C_Logout");
  check(call->C_CloseSession(session), "C_CloseSession");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 5) {
      throw std::runtime_error("usage: token_maker MODULE SO-PIN-FILE PIN-FILE LABEL...");
    }
    const CK_FUNCTION_LIST* call = load(argv[1]);
    const Secret so_pin = estia::read_secret_file(argv[2]);
    const Secret pin = estia::read_secret_file(argv[3]);
    check(call->C_Initialize(nullptr), "C_Initialize");
    for (int i = 4; i < argc; ++i) {
      make(call, so_pin, pin, argv[i]);
    }
    check(call->C_Finalize(nullptr), "C_Finalize");
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fprintf(stderr, "token_maker: %s\n", error.what()));
    return 1;
  }
}
