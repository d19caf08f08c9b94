// SPDX-License-Identifier: Apache-2.0
// Faults of single calls where pkcs11-provider signs.
#include "hsm/ckr.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER

class ProviderFaults : public RecoveryTest {
 protected:
  ProviderFaults() : RecoveryTest(std::chrono::seconds(60), {.signing = Signing::pkcs11_provider}) {
    EXPECT_TRUE(signs_now());
  }
};

/// Found in review: the session in which C_Sign failed, with its operation begun for ever, was the
/// first that the next signature took. The second such fault within ten seconds cost a restart of
/// the module, and one more in the request that waited for it cost the key a rest, each time a
/// longer one: 503 for everybody.
TEST_F(ProviderFaults, AFaultInASignatureCostsItsOwnRequestAnotherTry) {
  const unsigned long asked = shim_.calls("C_GetTokenInfo");
  for (const CK_RV rv : {CKR_BUFFER_TOO_SMALL, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR}) {
    for (unsigned long faults = 1; faults <= 2; ++faults) {
      for (int i = 0; i < 10; ++i) {
        const unsigned long before = shim_.calls("C_Sign");
        shim_.fail("C_Sign", rv, faults);
        EXPECT_EQ(refused(), "none") << ckr_name(rv);
        EXPECT_EQ(shim_.calls("C_Sign"), before + faults + 1);
        EXPECT_TRUE(signs_now());
      }
    }
  }
  EXPECT_EQ(shim_.calls("C_GetTokenInfo"), asked) << "another library context";
  const TokenStatus status = token_->probe();
  EXPECT_EQ(status.restarts, 0U);
  EXPECT_EQ(status.logins, 1U);
  EXPECT_EQ(events(), "attached") << "no rest of the key either";
}

/// The provider takes a slot that it could not read for one without a token, and does not look
/// again.
TEST_F(ProviderFaults, AContextThatKnowsNoTokenIsReplacedWithinTheRequest) {
  const auto restart = [&] {
    const auto module = Module::load(config_.module, {});
    ASSERT_TRUE(module->restart(module->generation(), std::chrono::seconds(60)));
  };
  const unsigned long before = shim_.calls("C_GetTokenInfo");
  restart();
  EXPECT_TRUE(signs_now());
  const unsigned long asked = shim_.calls("C_GetTokenInfo") - before;
  restart();
  shim_.fail("C_GetTokenInfo", CKR_DEVICE_ERROR, 1, asked - 2);  // of two slots, the last to ask
  EXPECT_EQ(refused(), "none");
  EXPECT_EQ(shim_.calls("C_GetTokenInfo") - before, 2 * asked + 2) << "one more context";
  EXPECT_EQ(token_->probe().restarts, 0U);
}

#endif

}  // namespace
}  // namespace estia::hsm
