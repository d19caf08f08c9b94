// SPDX-License-Identifier: Apache-2.0
// Calls that are delayed, hang or are held, and what another user of the module does meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "tests/token/fault_module_test_base.h"

namespace estia::hsm {
namespace {

class FaultPauses : public FaultModuleTest {
 protected:
  /// The call in a thread of its own; returns once it is in flight.
  [[nodiscard]] std::future<CK_RV> start(const std::string& function,
                                         std::function<CK_RV()> call) const {
    auto result = std::async(std::launch::async, std::move(call));
    order("wait " + function + " 1");
    return result;
  }
  [[nodiscard]] static bool is_over(const std::future<CK_RV>& call) {
    return call.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  [[nodiscard]] std::future<faults::Answer> ask_in_background(const std::string& line) const {
    return std::async(std::launch::async, [this, line] { return ask(line); });
  }
  void wait_until_held() const {
    while (order("status").find("calls held\n") == std::string::npos) {
      std::this_thread::yield();  // ctest's limit ends this
    }
  }
  [[nodiscard]] static CK_RV get_info() {
    CK_INFO info{};
    return p11().C_GetInfo(&info);
  }
};

TEST_F(FaultPauses, AHangBeforeTheCallKeepsItFromTheModule) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang C_CreateObject");
  auto call = start("C_CreateObject", [&] { return create(session, "thing"); });
  const CK_SESSION_HANDLE other = open_session();  // other functions and orders go on
  EXPECT_FALSE(exists(other, "thing"));
  EXPECT_TRUE(counts("C_CreateObject", "in-flight=1"));
  EXPECT_FALSE(is_over(call));
  order("release");
  EXPECT_EQ(call.get(), CKR_OK);
  EXPECT_TRUE(exists(other, "thing"));
  EXPECT_EQ(create(session, "more"), CKR_OK) << "release takes the rule off";
}

TEST_F(FaultPauses, AHangAfterTheCallKeepsOnlyItsResult) {
  const CK_SESSION_HANDLE session = open_session();
  const CK_SESSION_HANDLE other = open_session();
  order("hang C_CreateObject when=after");
  auto call = start("C_CreateObject", [&] { return create(session, "thing"); });
  while (!exists(other, "thing")) {
    std::this_thread::yield();  // ctest's limit ends this if the call never reaches the module
  }
  EXPECT_FALSE(is_over(call));
  order("release C_CreateObject");
  EXPECT_EQ(call.get(), CKR_OK);
}

TEST_F(FaultPauses, OneFunctionIsReleasedAlone) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang C_GenerateRandom count=1");
  order("hang C_GetInfo count=1");
  auto first = start("C_GenerateRandom", [&] { return random(session); });
  auto second = start("C_GetInfo", get_info);
  order("release C_GenerateRandom");
  EXPECT_EQ(first.get(), CKR_OK);
  EXPECT_FALSE(is_over(second));
  order("clear");
  EXPECT_EQ(second.get(), CKR_OK);
}

TEST_F(FaultPauses, AHangMayEndInAFailure) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang C_GenerateRandom");
  order("fail C_GenerateRandom CKR_DEVICE_REMOVED");
  auto call = start("C_GenerateRandom", [&] { return random(session); });
  order("release");
  EXPECT_EQ(call.get(), CKR_DEVICE_REMOVED);
}

TEST_F(FaultPauses, ADelayEndsByItself) {
  const CK_SESSION_HANDLE session = open_session();
  order("delay * 1 count=2");
  order("delay C_GenerateRandom 1 when=after");
  EXPECT_EQ(random(session), CKR_OK);
  EXPECT_TRUE(counts("C_GenerateRandom", "faults=2"));
}

TEST_F(FaultPauses, ALongDelayEndsWhenItIsCleared) {
  const CK_SESSION_HANDLE session = open_session();
  order("delay C_GenerateRandom 86400000");
  auto call = start("C_GenerateRandom", [&] { return random(session); });
  EXPECT_TRUE(counts("C_GenerateRandom", "in-flight=1"));
  EXPECT_FALSE(is_over(call));
  order("clear C_GenerateRandom");
  EXPECT_EQ(call.get(), CKR_OK);
}

TEST_F(FaultPauses, HoldIsAnsweredWhenTheRunningCallsHaveEnded) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang C_GenerateRandom count=1");
  auto running = start("C_GenerateRandom", [&] { return random(session); });
  auto hold = ask_in_background("hold");
  wait_until_held();
  auto newcomer = start("C_GetInfo", get_info);
  EXPECT_EQ(hold.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  order("release");
  EXPECT_TRUE(hold.get().ok);
  EXPECT_EQ(running.get(), CKR_OK);
  EXPECT_FALSE(is_over(newcomer));
  order("resume");
  EXPECT_EQ(newcomer.get(), CKR_OK);
}

TEST_F(FaultPauses, AHoldThatIsResumedTooSoonSaysSo) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang C_GenerateRandom");
  auto running = start("C_GenerateRandom", [&] { return random(session); });
  auto hold = ask_in_background("hold");
  wait_until_held();
  order("resume");
  EXPECT_EQ(hold.get().text, "resumed before the running calls had ended");
  order("release");
  EXPECT_EQ(running.get(), CKR_OK);
}

TEST_F(FaultPauses, RulesGivenWhileCallsAreHeldMeetThoseThatWait) {
  const CK_SESSION_HANDLE session = open_session();
  order("hold");
  auto call = start("C_GenerateRandom", [&] { return random(session); });
  order("fail C_GenerateRandom CKR_DEVICE_ERROR");
  order("clear C_GetInfo");
  EXPECT_FALSE(is_over(call));
  order("resume");
  EXPECT_EQ(call.get(), CKR_DEVICE_ERROR);
}

TEST_F(FaultPauses, CountsTellHowManyWereInsideAtOnce) {
  const CK_SESSION_HANDLE session = open_session();
  order("hang C_GetInfo");
  auto first = start("C_GetInfo", get_info);
  auto second = std::async(std::launch::async, get_info);
  order("wait C_GetInfo 2");
  EXPECT_TRUE(counts("C_GetInfo", "in-flight=2"));
  order("clear");
  EXPECT_EQ(first.get() + second.get(), CKR_OK);
  EXPECT_EQ(random(session), CKR_OK);
  EXPECT_EQ(order("count C_GetInfo"), "C_GetInfo calls=2 in-flight=0 most-in-flight=2 faults=2\n");
  EXPECT_EQ(order("count C_Encrypt"), "C_Encrypt calls=0 in-flight=0 most-in-flight=0 faults=0\n");
  EXPECT_EQ(order("count").find("C_Encrypt"), std::string::npos) << "only those that were called";
}

TEST_F(FaultPauses, RealCallsAreRefusedUnlessHeldAndQuiet) {
  const CK_SESSION_HANDLE session = open_session();
  EXPECT_EQ(refusal_of("real C_CloseAllSessions"), "refused: hold first, and wait for its answer");
  order("hang C_GenerateRandom");
  auto running = start("C_GenerateRandom", [&] { return random(session); });
  auto hold = ask_in_background("hold");
  wait_until_held();
  EXPECT_EQ(refusal_of("real C_CloseAllSessions"), "refused: hold first, and wait for its answer");
  order("clear");
  static_cast<void>(hold.get());  // held until then, or resumed by clear: either is right
  EXPECT_EQ(running.get(), CKR_OK) << "its session is still there";
}

class FaultRealCall : public FaultPauses {
 protected:
  void make(const std::string& function) const {
    order("hold");
    order("real " + function);
    order("resume");
  }
};

TEST_F(FaultRealCall, AllSessionsAreClosed) {
  const CK_SESSION_HANDLE session = open_session();
  make("C_CloseAllSessions");
  EXPECT_EQ(random(session), CKR_SESSION_HANDLE_INVALID);
  EXPECT_NE(order("status").find("sessions 0\n"), std::string::npos);
  order("hold");
  EXPECT_EQ(refusal_of("real C_Logout"), "no session is open");
  order("resume");
}

TEST_F(FaultRealCall, EverybodyIsLoggedOut) {
  const auto token = open_faulty();
  ASSERT_TRUE(token->probe().logged_in);
  make("C_Logout");
  EXPECT_FALSE(token->probe().logged_in);
}

TEST_F(FaultRealCall, TheModuleIsFinalized) {
  const CK_SESSION_HANDLE session = open_session();
  make("C_Finalize");
  EXPECT_EQ(random(session), CKR_CRYPTOKI_NOT_INITIALIZED);
  order("hold");
  EXPECT_EQ(refusal_of("real C_Finalize"), "CKR_CRYPTOKI_NOT_INITIALIZED");
  order("resume");
  EXPECT_EQ(random(open_session()), CKR_OK);
}

}  // namespace
}  // namespace estia::hsm
