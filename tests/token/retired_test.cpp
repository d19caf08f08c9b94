// SPDX-License-Identifier: Apache-2.0
// What is over is not in force: logins that were replaced, and a module that could not be
// restarted.
#include <future>

#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class Retired : public RecoveryTest {
 protected:
  [[nodiscard]] std::size_t in_force() const {
    return Module::load(config_.module, {})->attachments();
  }
  void log_out() const {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    ASSERT_EQ(other().C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_OK);
    ASSERT_EQ(other().C_Logout(session), CKR_OK);
    ASSERT_EQ(other().C_CloseSession(session), CKR_OK);
  }
};

/// Found in review: nothing noticed it. Other tokens of the module would wait for its restart.
TEST_F(Retired, IsALoginThatWasReplacedAlsoWhileACallOfItIsOut) {
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(in_force(), 1U);
  shim_.close_gate("C_Sign");
  auto out = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_Sign", 1);
  log_out();
  auto probed = std::async(std::launch::async, [&] { return token_->probe(); });
  while (events() != "attached lost attached") {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(in_force(), 1U);
  shim_.open_gate("C_Sign");
  static_cast<void>(probed.get());
  static_cast<void>(out.get());
  EXPECT_TRUE(signs_now());
}

/// Found in review: nothing noticed it.
TEST_F(Retired, IsALoginAfterWhichThePinWasRefused) {
  EXPECT_TRUE(signs_now());
  log_out();
  shim_.fail("C_Login", CKR_PIN_INCORRECT);
  wait_until(TokenState::pin_refused);
  EXPECT_EQ(in_force(), 0U);
}

TEST_F(Retired, IsALoginThatNobodyHas) {
  EXPECT_EQ(in_force(), 1U);
  key_.reset();
  token_.reset();
  EXPECT_EQ(in_force(), 0U);
}

class ModuleRestarts : public ShimTest {};

/// Found in review: nothing noticed a module that counted as restarted all the same.
TEST_F(ModuleRestarts, OneThatFailedKeepsEverybodyOutUntilTheNext) {
  const auto module = Module::load(config().module, {});
  const auto use = [&] {
    return refusal([&] { const Module::Use in_use(*module, module->generation()); });
  };
  const auto restart = [&] { EXPECT_TRUE(module->restart(1, std::chrono::seconds(60))); };
  EXPECT_EQ(use(), "none");
  for (int i = 0; i < 2; ++i) {
    shim_.fail("C_Initialize", CKR_DEVICE_ERROR);
    EXPECT_EQ(refusal(restart), "token token.failed");
    EXPECT_EQ(use(), "token token.not_initialized");
  }
  const unsigned long before = shim_.calls("C_Initialize");
  restart();
  EXPECT_EQ(use(), "none");
  restart();
  EXPECT_EQ(shim_.calls("C_Initialize"), before + 1) << "somebody has done so already";
}

}  // namespace
}  // namespace estia::hsm
