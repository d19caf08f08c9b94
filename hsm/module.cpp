// SPDX-License-Identifier: Apache-2.0
#include "hsm/module.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

#include "crypto/openssl/require.h"
#include "hsm/ckr.h"
#include "hsm/module_locks.h"

namespace estia::hsm {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw Error(ErrorCode::config, "token.module", path.string() + ": " + why);
}

CK_FUNCTION_LIST* function_list(const std::filesystem::path& path) {
  // RTLD_LOCAL: two modules may define the same symbols. Never dlclosed: see the class.
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    refuse(path, why == nullptr ? "cannot be loaded" : why);
  }
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(handle, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr) {
    refuse(path, "not a PKCS#11 module (no C_GetFunctionList)");
  }
  return functions;
}

}  // namespace

std::shared_ptr<Module> Module::load(const std::filesystem::path& path, const std::string& init_args) {
  static std::mutex mutex;  // guards loaded
  static std::map<std::string, std::shared_ptr<Module>> loaded;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Module>& module = loaded[path.string()];
  if (!module) {
    module = std::shared_ptr<Module>(new Module(path, init_args));
  }
  return module;
}

Module::Module(const std::filesystem::path& path, const std::string& init_args) : functions_(function_list(path)) {
  initialise(init_args);
}

void Module::initialise(const std::string& init_args) const {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  std::string writable = init_args;  // pReserved is not const
  if (!writable.empty()) {
    arguments.pReserved = writable.data();
  }
  set_lock_callbacks(arguments);
  CK_RV rv = functions_->C_Initialize(&arguments);
  if (rv == CKR_CANT_LOCK) {
    arguments.CreateMutex = nullptr;
    arguments.DestroyMutex = nullptr;
    arguments.LockMutex = nullptr;
    arguments.UnlockMutex = nullptr;
    rv = functions_->C_Initialize(&arguments);
  }
  // SoftHSM leaves entries in OpenSSL's error queue; SSL_get_error on this thread would misread them.
  static_cast<void>(crypto::drain_errors());
  if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    check(rv, "C_Initialize");
  }
}

std::vector<CK_SLOT_ID> Module::slots_with_token() const {
  CK_ULONG count = 0;
  check(call().C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  check(call().C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(count);
  return slots;
}

CK_TOKEN_INFO Module::token_info(CK_SLOT_ID slot) const {
  CK_TOKEN_INFO info{};
  check(call().C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
  return info;
}

}  // namespace estia::hsm
