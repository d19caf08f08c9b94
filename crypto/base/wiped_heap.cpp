// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/wiped_heap.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

namespace estia {
namespace {

thread_local constinit unsigned wiping = 0;

void* allocate(std::size_t size) {
  for (;;) {
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): this is operator new
    if (void* memory = std::malloc(size == 0 ? 1 : size)) {
      return memory;
    }
    if (const std::new_handler handler = std::get_new_handler()) {
      handler();
    } else {
      throw std::bad_alloc();
    }
  }
}

void give_back(void* memory) noexcept {
  if (wiping != 0 && memory != nullptr) {
    ::OPENSSL_cleanse(memory, ::malloc_usable_size(memory));
  }
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is operator delete
}

}  // namespace

WipedHeap::WipedHeap() noexcept {
  ++wiping;
}

WipedHeap::~WipedHeap() {
  --wiping;
}

}  // namespace estia

// Those of the program; the library's other forms, except the aligned ones, call these.

void* operator new(std::size_t size) {
  return estia::allocate(size);
}

void operator delete(void* memory) noexcept {
  estia::give_back(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  estia::give_back(memory);
}
