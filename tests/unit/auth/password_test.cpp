// SPDX-License-Identifier: Apache-2.0
#include "server/auth/password.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "crypto/keys/digest.h"

namespace estia::auth {
namespace {

TEST(Password, AcceptsOnlyTheSecretThatWasHashed) {
  const Secret secret("correct horse battery staple");
  const ca::PasswordHash hash = hash_generated_secret(secret);
  EXPECT_TRUE(verify_password(hash, secret.text()));
  EXPECT_FALSE(verify_password(hash, "correct horse battery stapl"));
  EXPECT_FALSE(verify_password(hash, "correct horse battery staple "));
  EXPECT_FALSE(verify_password(hash, ""));
}

TEST(Password, TheSaltIsFreshAndTheDigestIsOverSaltThenSecret) {
  const Secret secret("s3cret");
  const ca::PasswordHash a = hash_generated_secret(secret);
  const ca::PasswordHash b = hash_generated_secret(secret);
  EXPECT_EQ(a.scheme, "sha256");
  EXPECT_EQ(a.salt.size(), 16U);
  EXPECT_NE(a.salt, b.salt);
  EXPECT_NE(a.digest, b.digest);
  Bytes input = a.salt;
  input.insert(input.end(), secret.view().begin(), secret.view().end());
  EXPECT_EQ(a.digest, crypto::sha256(input));
}

TEST(Password, ATruncatedOrEmptyDigestMatchesNothing) {
  ca::PasswordHash hash = hash_generated_secret(Secret("x"));
  hash.digest.resize(31);
  EXPECT_FALSE(verify_password(hash, "x"));
  hash.digest.clear();
  EXPECT_FALSE(verify_password(hash, "x"));
}

TEST(Password, AChosenOneIsKeptByScryptWithAFreshSalt) {
  const Secret secret("a chosen password");
  const ca::PasswordHash a = hash_chosen_password(secret);
  const ca::PasswordHash b = hash_chosen_password(secret);
  EXPECT_TRUE(is_chosen(a));
  EXPECT_FALSE(is_chosen(hash_generated_secret(secret)));
  EXPECT_NE(a.digest, b.digest);
  EXPECT_TRUE(verify_password(a, "a chosen password"));
  EXPECT_FALSE(verify_password(a, "a chosen passwort"));
  EXPECT_FALSE(verify_password(dummy_chosen_hash(), "a chosen password"));
  EXPECT_EQ(dummy_chosen_hash().scheme, a.scheme);
}

TEST(Password, RefusesAnUnknownScheme) {
  ca::PasswordHash hash = hash_generated_secret(Secret("x"));
  hash.scheme = "plain";
  try {
    static_cast<void>(verify_password(hash, "x"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), "password.scheme");
    EXPECT_EQ(error.code(), ErrorCode::internal);
  }
}

TEST(Password, TheDummyHasTheShapeOfARealOneAndMatchesNothing) {
  const ca::PasswordHash real = hash_generated_secret(Secret("x"));
  const ca::PasswordHash& dummy = dummy_password_hash();
  EXPECT_EQ(dummy.scheme, real.scheme);
  EXPECT_EQ(dummy.salt.size(), real.salt.size());
  EXPECT_EQ(dummy.digest.size(), real.digest.size());
  EXPECT_FALSE(verify_password(dummy, ""));
}

}  // namespace
}  // namespace estia::auth
