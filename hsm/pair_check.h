// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/keys/key_spec.h"

namespace estia::hsm {

// Whether private values belong to a public key. Calculated, not tried by a signature, which would
// be one more secret number on the stack, and hides a wrong CRT value: OpenSSL then signs without.
// Numbers are big-endian; they and all that is made of them stay in the secure heap.
// Error{internal, "openssl.failed"} when that is full. Any thread.

/// `point` is uncompressed. False for a scalar out of range, too.
[[nodiscard]] bool ec_pair_matches(const crypto::KeySpec& spec, ByteView scalar, ByteView point);

/// RFC 8032: 32 bytes each.
[[nodiscard]] bool ed25519_pair_matches(ByteView seed, ByteView point);

/// RSAPrivateKey of RFC 8017 A.1.2, two primes.
struct RsaNumbers {
  ByteView modulus;
  ByteView public_exponent;
  ByteView private_exponent;
  ByteView prime1;
  ByteView prime2;
  ByteView exponent1;
  ByteView exponent2;
  ByteView coefficient;
};
/// Whether the numbers fit each other. Primality is not tested.
[[nodiscard]] bool rsa_numbers_match(const RsaNumbers& key);

}  // namespace estia::hsm
