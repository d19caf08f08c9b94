// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <optional>
#include <string>

namespace estia::crypto {

/// Why no CA should certify this RSA key, or nullopt: exponent under 65537 or even, a modulus with
/// a small factor, of the ROCA form (CVE-2017-15361), or of two primes so close that Fermat's
/// method finds them (X509-SPKI). Bounded work whatever the key.
[[nodiscard]] std::optional<std::string> weak_rsa_reason(EVP_PKEY* key);

}  // namespace estia::crypto
