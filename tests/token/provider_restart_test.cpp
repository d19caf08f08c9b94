// SPDX-License-Identifier: Apache-2.0
// What pkcs11-provider holds, and tells, of a module that is restarted again and again.
#include <openssl/err.h>

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

/// Found in review: after some fifty restarts no fault of the token was understood any more, so
/// that nothing was done about one. OpenSSL gives each provider the next of 128 numbers for its
/// errors.
TEST_F(ProviderRestart, FaultsAreUnderstoodAfterManyOfThem) {
  while (::ERR_get_next_error_library() < 300) {
  }
  restart();
  ASSERT_TRUE(signs_now());
  for (int i = 0; i < 3; ++i) {
    shim_.fail("C_Sign", CKR_GENERAL_ERROR);  // the key is loaded anew
    shim_.fail("C_FindObjectsInit", CKR_DEVICE_REMOVED, 2);
    EXPECT_EQ(refused(), "none") << i;
  }
  EXPECT_EQ(token_->probe().restarts, 3U);
}

/// Found in review: once the numbers were those of OpenSSL's own libraries, so were the texts.
TEST_F(ProviderRestart, ItsErrorsLeaveThoseOfOpenSslTheirTexts) {
  const auto texts = [] {
    std::vector<std::string> all;
    for (int reason = 1; reason < 0x200; ++reason) {
      for (int library = ERR_LIB_OSSL_STORE; library < ERR_LIB_OSSL_STORE + 4; ++library) {
        const char* text = ::ERR_reason_error_string(ERR_PACK(library, 0, reason));
        all.emplace_back(text == nullptr ? "" : text);
      }
    }
    return all;
  };
  const auto before = texts();
  while (::ERR_get_next_error_library() < 256 + ERR_LIB_OSSL_STORE - 1) {
  }
  restart();
  ASSERT_TRUE(signs_now());
  EXPECT_EQ(texts(), before);
}

#endif

}  // namespace
}  // namespace estia::hsm
