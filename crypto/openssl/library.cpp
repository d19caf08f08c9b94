// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl/library.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "crypto/openssl/require.h"

namespace estia::crypto {

OSSL_LIB_CTX* library() {
  // Never freed: token keys and TLS objects of other threads may outlive any order of destruction
  // we could choose.
  static OSSL_LIB_CTX* const context = [] {
    OSSL_LIB_CTX* made = require(::OSSL_LIB_CTX_new(), "OSSL_LIB_CTX_new");
    require(::OSSL_PROVIDER_load(made, "default"), "OSSL_PROVIDER_load(default)");
    // The signing provider of hsm offers the same names: whoever does not ask for it by name gets
    // the default one.
    require(::EVP_set_default_properties(made, "?provider=default"), "EVP_set_default_properties");
    return made;
  }();
  return context;
}

}  // namespace estia::crypto
