// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl/key_number.h"

#include "crypto/openssl/require.h"

namespace estia::crypto {

BignumPtr key_number(EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  require(::EVP_PKEY_get_bn_param(key, name, &value), "EVP_PKEY_get_bn_param");
  return BignumPtr(value);
}

}  // namespace estia::crypto
