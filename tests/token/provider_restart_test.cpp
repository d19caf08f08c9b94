// SPDX-License-Identifier: Apache-2.0
// What pkcs11-provider holds of a module that is restarted again and again.
#include "tests/token/heap_in_use.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER

class ProviderRestart : public RecoveryTest {
 protected:
  ProviderRestart()
      : RecoveryTest(std::chrono::seconds(60), {.signing = Signing::pkcs11_provider}) {
    restart();  // whatever is made once has been made
    EXPECT_TRUE(signs_now());
  }
  void restart() const {
    const auto module = Module::load(config_.module, {});
    ASSERT_TRUE(module->restart(module->generation(), std::chrono::seconds(60)));
  }
};

/// Found in review: a library context stayed for each restart.
TEST_F(ProviderRestart, LeavesNothingOfThePast) {
  constexpr int kRestarts = 10;
  const std::size_t before = heap_in_use();
  for (int i = 0; i < kRestarts; ++i) {
    restart();
    ASSERT_TRUE(signs_now());
  }
  EXPECT_LT(heap_in_use(), before + kRestarts * kHalfAContext);
}

/// A key of a context that was given up keeps it until then, and does nothing with it after that.
TEST_F(ProviderRestart, EndsContextsThatWereGivenUp) {
  const crypto::PrivateKey other = token_->generate(spec("P-256"), "other");
  const std::size_t before = heap_in_use();
  shim_.fail("C_Sign", CKR_FUNCTION_FAILED);  // its session is stuck
  EXPECT_TRUE(signs_now());
  EXPECT_GT(heap_in_use(), before + kHalfAContext) << "no second context: nothing is tested";
  restart();
  EXPECT_TRUE(signs_now());
  EXPECT_TRUE(signs(other));
  EXPECT_LT(heap_in_use(), before + kHalfAContext);
}

#endif

}  // namespace
}  // namespace estia::hsm
