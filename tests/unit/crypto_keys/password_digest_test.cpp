// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/password_digest.h"

#include <gtest/gtest.h>

namespace estia::crypto {
namespace {

/// What `openssl kdf -keylen 32 -kdfopt pass:... -kdfopt salt:... -kdfopt n:16384 -kdfopt r:8
/// -kdfopt p:1 SCRYPT` prints; the first 32 octets of RFC 7914 12's third vector.
TEST(PasswordDigest, ScryptIsRfc7914s) {
  EXPECT_EQ(to_hex(scrypt(as_bytes("pleaseletmein"), as_bytes("SodiumChloride"))),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

/// RFC 4231 4.3.
TEST(PasswordDigest, HmacIsRfc4231s) {
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace estia::crypto
