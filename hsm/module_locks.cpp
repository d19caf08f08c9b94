// SPDX-License-Identifier: Apache-2.0
#include "hsm/module_locks.h"

#include <mutex>
#include <new>

namespace estia::hsm {
namespace {

constexpr int kSpins = 200;

struct SpinningMutex {
  std::mutex mutex;
};

void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

CK_RV create(void** out) {
  auto* made = new (std::nothrow) SpinningMutex;
  if (made == nullptr) {
    return CKR_HOST_MEMORY;
  }
  *out = made;
  return CKR_OK;
}

CK_RV destroy(void* mutex) {
  delete static_cast<SpinningMutex*>(mutex);
  return CKR_OK;
}

CK_RV lock(void* raw) {
  std::mutex& mutex = static_cast<SpinningMutex*>(raw)->mutex;
  for (int i = 0; i < kSpins; ++i) {
    if (mutex.try_lock()) {
      return CKR_OK;
    }
    pause();
  }
  mutex.lock();
  return CKR_OK;
}

CK_RV unlock(void* mutex) {
  static_cast<SpinningMutex*>(mutex)->mutex.unlock();
  return CKR_OK;
}

}  // namespace

void set_lock_callbacks(CK_C_INITIALIZE_ARGS& arguments) noexcept {
  arguments.CreateMutex = create;
  arguments.DestroyMutex = destroy;
  arguments.LockMutex = lock;
  arguments.UnlockMutex = unlock;
}

}  // namespace estia::hsm
