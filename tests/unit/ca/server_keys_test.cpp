// SPDX-License-Identifier: Apache-2.0
#include "server/ca/server_keys.h"

#include <gtest/gtest.h>

#include "tests/support/no_server_keys.h"
#include "tests/support/refusal.h"

namespace estia::ca {
namespace {

/// A token that encrypts for RSA keys.
class AbleKeys final : public test::NoServerKeysBase {
 public:
  [[nodiscard]] crypto::TokenEncryption encryption() const override {
    return {{"SHA1"}, {crypto::TokenCipher::aes256_wrap_pad}};
  }
};

Snapshot snapshot(const std::vector<KeyPackage>& packages) {
  Snapshot made;
  made.aliases["est"] = {.name = "est", .serverkeygen = packages};
  return made;
}

std::string refused(const Snapshot& wanted, const Snapshot& before, const ServerKeys& keys) {
  return test::refusal([&] { check_server_keys(wanted, before, keys); });
}

TEST(ServerKeysCheck, NobodyPromisesWhatTheTokenDoesNotDo) {
  const test::NoServerKeys unable;
  const Snapshot wrapped = snapshot({KeyPackage::hsm_wrapped});
  EXPECT_EQ(refused(wrapped, {}, unable), "config serverkeygen.hsm_wrapped");
  EXPECT_EQ(refused(wrapped, snapshot({KeyPackage::cms}), unable),
            "config serverkeygen.hsm_wrapped");
  EXPECT_EQ(refused(snapshot({KeyPackage::pkcs8, KeyPackage::cms}), {}, unable), "none");
  EXPECT_EQ(refused(wrapped, {}, AbleKeys()), "none");
}

/// Found in review: with such an alias in force, not even a vendor's anchor could be removed.
TEST(ServerKeysCheck, APromiseOfBeforeKeepsNobodyFromChangingTheRest) {
  const Snapshot wrapped = snapshot({KeyPackage::hsm_wrapped});
  EXPECT_EQ(refused(wrapped, wrapped, test::NoServerKeys()), "none");
}

TEST(ServerKeysCheck, TheReasonIsTold) {
  try {
    check_server_keys(snapshot({KeyPackage::hsm_wrapped}), {}, test::NoServerKeys());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.detail(), "none is made in this test");
  }
}

TEST(StandIn, IsOneOfItsKindAndStrong) {
  for (const char* kind : {"P-256", "P-384", "RSA-2048", "RSA-3072", "Ed25519"}) {
    const auto spec = crypto::KeySpec::parse(kind);
    const crypto::PublicKey key = stand_in_key(spec);
    EXPECT_EQ(key.spec(), spec) << kind;
    EXPECT_EQ(key, stand_in_key(spec)) << "one for the process";
    key.check_strength();
  }
}

}  // namespace
}  // namespace estia::ca
