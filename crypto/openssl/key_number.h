// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/openssl/owned.h"

namespace estia::crypto {

/// A number of a key by its OSSL_PKEY_PARAM_ name. Throws Error{internal, "openssl.failed"}.
[[nodiscard]] BignumPtr key_number(EVP_PKEY* key, const char* name);

}  // namespace estia::crypto
