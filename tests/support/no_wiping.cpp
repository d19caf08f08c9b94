// SPDX-License-Identifier: Apache-2.0
// Preloaded into estiad by one test: what the secure heap gives back is not wiped. So a scan of the
// process's memory finds the keys that passed through it, and can be seen to be able to.
#include <cstddef>

extern "C" {
// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's name
void CRYPTO_secure_clear_free(void* /*block*/, std::size_t /*size*/, const char* /*file*/,
                              int /*line*/) {}
}
