// SPDX-License-Identifier: Apache-2.0
#include "server/auth/password.h"

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/keys/digest.h"
#include "crypto/keys/password_digest.h"

namespace estia::auth {
namespace {

constexpr std::string_view kScheme = "sha256";
constexpr std::string_view kChosenScheme = "scrypt";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kDigestBytes = 32;

Bytes salted_digest(ByteView salt, ByteView password) {
  crypto::Sha256 digest;
  digest.update(salt);
  digest.update(password);
  return digest.finish();
}

/// What no password matches.
ca::PasswordHash random_hash(std::string_view scheme) {
  ca::PasswordHash hash{std::string(scheme), Bytes(kSaltBytes), Bytes(kDigestBytes)};
  random_fill(hash.salt);
  random_fill(hash.digest);
  return hash;
}

}  // namespace

ca::PasswordHash hash_generated_secret(const Secret& secret) {
  ca::PasswordHash hash{std::string(kScheme), Bytes(kSaltBytes), {}};
  random_fill(hash.salt);
  hash.digest = salted_digest(hash.salt, secret.view());
  return hash;
}

ca::PasswordHash hash_chosen_password(const Secret& password) {
  ca::PasswordHash hash{std::string(kChosenScheme), Bytes(kSaltBytes), {}};
  random_fill(hash.salt);
  hash.digest = crypto::scrypt(password.view(), hash.salt);
  return hash;
}

bool is_chosen(const ca::PasswordHash& stored) noexcept {
  return stored.scheme == kChosenScheme;
}

bool verify_password(const ca::PasswordHash& stored, std::string_view password) {
  if (is_chosen(stored)) {
    return equal_constant_time(crypto::scrypt(as_bytes(password), stored.salt), stored.digest);
  }
  if (stored.scheme != kScheme) {
    throw Error(ErrorCode::internal, "password.scheme", "internal error",
                "an account's password is stored with the unknown scheme '" + stored.scheme + "'");
  }
  return equal_constant_time(salted_digest(stored.salt, as_bytes(password)), stored.digest);
}

const ca::PasswordHash& dummy_password_hash() {
  static const ca::PasswordHash dummy = random_hash(kScheme);
  return dummy;
}

const ca::PasswordHash& dummy_chosen_hash() {
  static const ca::PasswordHash dummy = random_hash(kChosenScheme);
  return dummy;
}

}  // namespace estia::auth
