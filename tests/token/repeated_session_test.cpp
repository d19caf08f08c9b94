// SPDX-License-Identifier: Apache-2.0
// A module that gives a session away that is in use.
#include <future>

#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono::milliseconds;

class RepeatedSession : public RecoveryTest {
 protected:
  RepeatedSession() : RecoveryTest(milliseconds(300)) { EXPECT_TRUE(signs_now()); }

  void wait_until_it_signs() const {
    while (refused() != "none") {
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
};

/// Found in review: two threads signed in one session, and SoftHSM ended the process.
TEST_F(RepeatedSession, IsNotLentTwice) {
  shim_.close_gate("C_SignInit");
  auto first = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_SignInit", 1);
  shim_.repeat_sessions(true);
  const unsigned long one = shim_.most_in_flight("C_SignInit");
  auto second = std::async(std::launch::async, [&] { return refused(); });
  while (second.wait_for(milliseconds(2)) != std::future_status::ready &&
         shim_.most_in_flight("C_SignInit") == one) {
  }
  EXPECT_EQ(shim_.most_in_flight("C_SignInit"), one);
  shim_.open_gate("C_SignInit");
  EXPECT_EQ(second.get().rfind("token token.", 0), 0U);
  static_cast<void>(first.get());
  shim_.repeat_sessions(false);
  wait_until_it_signs();
}

TEST_F(RepeatedSession, OfTheLoginIsNotLent) {
  key_.reset();
  token_ = Token::open(config_);  // its session is the last one
  shim_.repeat_sessions(true);
  const unsigned long searches = shim_.calls("C_FindObjectsInit");
  EXPECT_EQ(
      test::refusal([&] { static_cast<void>(token_->uri_of("ca")); }).rfind("token token.", 0), 0U);
  EXPECT_EQ(shim_.calls("C_FindObjectsInit"), searches);
  shim_.repeat_sessions(false);
  while (test::refusal([&] { static_cast<void>(token_->uri_of("ca")); }) != "none") {
    std::this_thread::sleep_for(milliseconds(20));
  }
}

/// Nor does a login in place of another one.
TEST_F(RepeatedSession, IsNoLogin) {
  const unsigned long logins = shim_.calls("C_Login");
  shim_.close_gate("C_Sign");
  auto first = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_Sign", 1);
  shim_.repeat_sessions(true);
  EXPECT_EQ(test::refusal([&] { static_cast<void>(Token::open(config_)); }),
            "token token.session_lost");
  EXPECT_EQ(shim_.calls("C_Login"), logins);
  shim_.repeat_sessions(false);
  shim_.open_gate("C_Sign");
  EXPECT_EQ(first.get(), "none") << "nobody closed it";
}

}  // namespace
}  // namespace estia::hsm
