// SPDX-License-Identifier: Apache-2.0
#include "hsm/module_mutex.h"

#include <mutex>
#include <new>
#include <thread>

namespace estia::hsm {
namespace {

constexpr int kSpins = 200;

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

CK_RV create_mutex(void** mutex) {
  auto* made = new (std::nothrow) std::mutex;  // owned by the module until destroy_mutex
  *mutex = made;
  return made == nullptr ? CKR_HOST_MEMORY : CKR_OK;
}

CK_RV destroy_mutex(void* mutex) {
  delete static_cast<std::mutex*>(mutex);
  return CKR_OK;
}

CK_RV lock_mutex(void* mutex) {
  if (mutex == nullptr) {
    return CKR_MUTEX_BAD;
  }
  auto& lock = *static_cast<std::mutex*>(mutex);
  for (int i = 0; i < kSpins; ++i) {
    if (lock.try_lock()) {
      return CKR_OK;
    }
    pause();
  }
  try {
    lock.lock();
  } catch (...) {
    return CKR_GENERAL_ERROR;
  }
  return CKR_OK;
}

CK_RV unlock_mutex(void* mutex) {
  if (mutex == nullptr) {
    return CKR_MUTEX_BAD;
  }
  static_cast<std::mutex*>(mutex)->unlock();
  return CKR_OK;
}

}  // namespace

void set_module_mutexes(CK_C_INITIALIZE_ARGS& args) noexcept {
  args.CreateMutex = create_mutex;
  args.DestroyMutex = destroy_mutex;
  args.LockMutex = lock_mutex;
  args.UnlockMutex = unlock_mutex;
}

}  // namespace estia::hsm
