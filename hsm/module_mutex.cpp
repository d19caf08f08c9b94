// SPDX-License-Identifier: Apache-2.0
#include "hsm/module_mutex.h"

#include <pthread.h>

#include <cstdlib>
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

pthread_mutex_t* as_mutex(void* mutex) noexcept {
  return static_cast<pthread_mutex_t*>(mutex);
}

// A pthread mutex from malloc, not a std::mutex from new: when the process ends, SoftHSM has
// forgotten our functions and releases its locks by pthread_mutex_destroy and free.
CK_RV create_mutex(void** mutex) {
  *mutex = std::malloc(sizeof(pthread_mutex_t));
  if (*mutex == nullptr) {
    return CKR_HOST_MEMORY;
  }
  return ::pthread_mutex_init(as_mutex(*mutex), nullptr) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

CK_RV destroy_mutex(void* mutex) {
  if (mutex == nullptr) {
    return CKR_MUTEX_BAD;
  }
  ::pthread_mutex_destroy(as_mutex(mutex));
  std::free(mutex);
  return CKR_OK;
}

CK_RV lock_mutex(void* mutex) {
  if (mutex == nullptr) {
    return CKR_MUTEX_BAD;
  }
  for (int i = 0; i < kSpins; ++i) {
    if (::pthread_mutex_trylock(as_mutex(mutex)) == 0) {
      return CKR_OK;
    }
    pause();
  }
  return ::pthread_mutex_lock(as_mutex(mutex)) == 0 ? CKR_OK : CKR_GENERAL_ERROR;
}

CK_RV unlock_mutex(void* mutex) {
  if (mutex == nullptr) {
    return CKR_MUTEX_BAD;
  }
  return ::pthread_mutex_unlock(as_mutex(mutex)) == 0 ? CKR_OK : CKR_MUTEX_NOT_LOCKED;
}

}  // namespace

void set_module_mutexes(CK_C_INITIALIZE_ARGS& args) noexcept {
  args.CreateMutex = create_mutex;
  args.DestroyMutex = destroy_mutex;
  args.LockMutex = lock_mutex;
  args.UnlockMutex = unlock_mutex;
}

}  // namespace estia::hsm
