// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secure_bytes.h"

#include <openssl/crypto.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/base/error.h"

namespace estia {
namespace {

constexpr std::size_t kSmallestBlock = 32;

/// OpenSSL's random generators live in the secure heap, too. LeakSanitizer does not look there of
/// itself, and would take what they point to for lost.
void show_to_leak_sanitizer([[maybe_unused]] std::size_t size) {
#if defined(__SANITIZE_ADDRESS__)
  void* all = ::OPENSSL_secure_malloc(size);  // the only block of that size: where the heap begins
  if (all != nullptr) {
    ::__lsan_register_root_region(all, size);
    ::OPENSSL_secure_free(all);
  }
#endif
}

}  // namespace

void open_secure_heap(std::size_t size) {
  if (::CRYPTO_secure_malloc_initialized() == 1) {
    return;
  }
  const int made = ::CRYPTO_secure_malloc_init(size, kSmallestBlock);
  if (made != 1) {
    // 2 is a heap that is not locked, or has no guard pages: rather none.
    static_cast<void>(::CRYPTO_secure_malloc_done());
    throw Error(ErrorCode::config, "secure_heap.unavailable",
                "cannot lock " + std::to_string(size) +
                    " bytes of memory for private keys: is RLIMIT_MEMLOCK too low?");
  }
  show_to_leak_sanitizer(size);
}

SecureBytes::SecureBytes(std::size_t size)
    : size_(size), allocated_(std::max(size, std::size_t{1})) {
  if (::CRYPTO_secure_malloc_initialized() != 1) {
    throw Error(ErrorCode::internal, "secure_heap.not_open", "internal error",
                "the secure heap was not made");
  }
  data_ = static_cast<std::uint8_t*>(::OPENSSL_secure_zalloc(allocated_));
  if (data_ == nullptr) {
    throw Error(ErrorCode::busy, "secure_heap.full", "too many keys are being delivered",
                "no " + std::to_string(size) + " bytes left in the secure heap");
  }
}

SecureBytes::~SecureBytes() {
  free();
}

SecureBytes::SecureBytes(SecureBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      allocated_(std::exchange(other.allocated_, 0)) {}

SecureBytes& SecureBytes::operator=(SecureBytes&& other) noexcept {
  if (this != &other) {
    free();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    allocated_ = std::exchange(other.allocated_, 0);
  }
  return *this;
}

void SecureBytes::shrink(std::size_t size) noexcept {
  const std::size_t kept = std::min(size, size_);
  ::OPENSSL_cleanse(data_ + kept, size_ - kept);
  size_ = kept;
}

void SecureBytes::free() noexcept {
  ::OPENSSL_secure_clear_free(data_, allocated_);
}

}  // namespace estia
