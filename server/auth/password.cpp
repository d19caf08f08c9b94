// SPDX-License-Identifier: Apache-2.0
#include "server/auth/password.h"

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/keys/digest.h"

namespace estia::auth {
namespace {

constexpr std::string_view kScheme = "sha256";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kDigestBytes = 32;

Bytes salted_digest(ByteView salt, ByteView password) {
  crypto::Sha256 digest;
  digest.update(salt);
  digest.update(password);
  return digest.finish();
}

}  // namespace

ca::PasswordHash hash_generated_secret(const Secret& secret) {
  ca::PasswordHash hash{std::string(kScheme), Bytes(kSaltBytes), {}};
  random_fill(hash.salt);
  hash.digest = salted_digest(hash.salt, secret.view());
  return hash;
}

bool verify_password(const ca::PasswordHash& stored, std::string_view password) {
  if (stored.scheme != kScheme) {
    throw Error(ErrorCode::internal, "password.scheme", "internal error",
                "an account's password is stored with the unknown scheme '" + stored.scheme + "'");
  }
  return equal_constant_time(salted_digest(stored.salt, as_bytes(password)), stored.digest);
}

const ca::PasswordHash& dummy_password_hash() {
  static const ca::PasswordHash dummy = [] {
    ca::PasswordHash hash{std::string(kScheme), Bytes(kSaltBytes), Bytes(kDigestBytes)};
    random_fill(hash.salt);
    random_fill(hash.digest);
    return hash;
  }();
  return dummy;
}

}  // namespace estia::auth
