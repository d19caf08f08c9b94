// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace estia::crypto {

/// Empties this thread's OpenSSL error queue into one line for a log; "" when it was empty.
[[nodiscard]] std::string drain_errors();

/// Throws Error{internal, "openssl.failed"} unless `rc` is exactly 1. The drained queue is the
/// detail. OpenSSL functions differ in what they return on success (X509_sign a length,
/// EVP_DigestVerify 1, 0 or negative): use this only where 1 is the one success value.
void require(int rc, const char* function);

/// The same for functions that return a pointer; hands the pointer through.
template <class T>
T* require(T* pointer, const char* function) {
  require(pointer != nullptr ? 1 : 0, function);
  return pointer;
}

}  // namespace estia::crypto
