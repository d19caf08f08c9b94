// SPDX-License-Identifier: Apache-2.0
// Return codes, which calls they meet, and orders from the start.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/token/fault_module_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class FaultRules : public FaultModuleTest {
 protected:
  [[nodiscard]] std::vector<CK_RV> randoms(CK_SESSION_HANDLE session, int calls) const {
    std::vector<CK_RV> results;
    for (int i = 0; i < calls; ++i) {
      results.push_back(random(session));
    }
    return results;
  }

  /// What C_Initialize answers in a process of its own, at most 255.
  [[nodiscard]] static CK_RV in_a_process_with_seed(const std::string& seed) {
    const pid_t child = ::fork();
    if (child == 0) {
      set("ESTIA_FAULTS_SEED", seed);
      CK_FUNCTION_LIST* const list = load().second;  // first loaded here: it takes the rules
      ::_exit(list == nullptr ? 255 : static_cast<int>(list->C_Initialize(nullptr)));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return static_cast<CK_RV>(WEXITSTATUS(status));
  }
};

TEST_F(FaultRules, ACallThatFailsBeforeHasNotHappened) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_CreateObject CKR_DEVICE_ERROR");
  EXPECT_EQ(create(session, "thing"), CKR_DEVICE_ERROR);
  EXPECT_FALSE(exists(session, "thing"));
  EXPECT_EQ(create(session, "thing"), CKR_OK) << "one call fails unless the order says more";
  EXPECT_TRUE(exists(session, "thing"));
}

TEST_F(FaultRules, ACallThatFailsAfterHasHappened) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_CreateObject CKR_DEVICE_ERROR when=after");
  EXPECT_EQ(create(session, "thing"), CKR_DEVICE_ERROR);
  EXPECT_TRUE(exists(session, "thing"));
}

TEST_F(FaultRules, SkipAndCountChooseTheCalls) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_GenerateRandom 0x30 skip=2 count=2");
  EXPECT_EQ(randoms(session, 5),
            (std::vector<CK_RV>{CKR_OK, CKR_OK, CKR_DEVICE_ERROR, CKR_DEVICE_ERROR, CKR_OK}));
  EXPECT_TRUE(counts("C_GenerateRandom", "calls=5"));
  EXPECT_TRUE(counts("C_GenerateRandom", "faults=2"));
}

TEST_F(FaultRules, EveryNthCallFails) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_GenerateRandom CKR_FUNCTION_FAILED every=3 count=for-ever");
  const CK_RV failed = CKR_FUNCTION_FAILED;
  EXPECT_EQ(randoms(session, 6),
            (std::vector<CK_RV>{CKR_OK, CKR_OK, failed, CKR_OK, CKR_OK, failed}));
}

TEST_F(FaultRules, OneInSoManyFailsByChance) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_GenerateRandom CKR_FUNCTION_FAILED one-in=4 count=for-ever");
  const auto results = randoms(session, 400);
  const auto failed = std::ranges::count(results, CKR_FUNCTION_FAILED);
  EXPECT_GT(failed, 50);
  EXPECT_LT(failed, 150);
  EXPECT_TRUE(counts("C_GenerateRandom", "faults=" + std::to_string(failed)));
}

/// Found in review: the first call of every process failed, however rarely one was to.
TEST_F(FaultRules, ChanceIsAnotherInEachProcessUnlessItsSeedIsGiven) {
  const auto info_fails = [&](const std::string& seed) {
    const CK_RV rv = in_a_process_with_seed(seed);
    EXPECT_TRUE(rv == CKR_OK || rv == CKR_DEVICE_ERROR) << rv;
    return rv == CKR_DEVICE_ERROR ? 1 : 0;
  };
  start_with("fail C_Initialize CKR_DEVICE_ERROR one-in=2 count=for-ever\n");
  ASSERT_EQ(::unsetenv("ESTIA_FAULTS_SOCKET"), 0);
  int by_chance = 0;
  for (int i = 0; i < 40; ++i) {
    by_chance += info_fails("");
  }
  EXPECT_GT(by_chance, 0);
  EXPECT_LT(by_chance, 40);
  const int once = info_fails("7");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(info_fails("7"), once);
  }
}

TEST_F(FaultRules, TheStarMeansEveryFunctionAndTheFunctionsOwnRuleWins) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail * CKR_TOKEN_NOT_PRESENT count=3");
  order("fail C_GenerateRandom CKR_DEVICE_MEMORY");
  EXPECT_EQ(random(session), CKR_DEVICE_MEMORY);
  CK_INFO info{};
  EXPECT_EQ(p11().C_GetInfo(&info), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(random(session), CKR_TOKEN_NOT_PRESENT);
  EXPECT_EQ(random(session), CKR_OK);
}

TEST_F(FaultRules, ANewRuleOfAKindReplacesTheOld) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_GenerateRandom CKR_DEVICE_ERROR count=for-ever");
  order("fail C_GenerateRandom CKR_DEVICE_REMOVED");
  EXPECT_EQ(randoms(session, 2), (std::vector<CK_RV>{CKR_DEVICE_REMOVED, CKR_OK}));
}

TEST_F(FaultRules, ClearTakesOffOneFunctionsRulesOrAll) {
  const CK_SESSION_HANDLE session = open_session();
  for (const char* function : {"C_GenerateRandom", "C_GetInfo", "*"}) {
    order(std::string("fail ") + function + " CKR_DEVICE_ERROR count=for-ever");
  }
  order("clear *");
  EXPECT_EQ(random(session), CKR_OK) << "* is every rule";
  order("fail C_GenerateRandom CKR_DEVICE_ERROR");
  order("fail C_GetInfo CKR_DEVICE_ERROR");
  order("clear C_GenerateRandom");
  EXPECT_EQ(random(session), CKR_OK);
  CK_INFO info{};
  EXPECT_EQ(p11().C_GetInfo(&info), CKR_DEVICE_ERROR);
}

TEST_F(FaultRules, AnOrderThatIsNotUnderstoodChangesNothing) {
  const CK_SESSION_HANDLE session = open_session();
  order("fail C_GenerateRandom CKR_DEVICE_ERROR count=for-ever");
  const std::string before = order("status");
  EXPECT_NE(before.find("rule fail C_GenerateRandom CKR_DEVICE_ERROR count=for-ever\n"),
            std::string::npos)
      << before;
  EXPECT_EQ(refusal_of("fail C_GenerateRandom CKR_DEVICE_REMOVED sometimes"),
            "not understood: sometimes");
  EXPECT_EQ(refusal_of("crash"), "there is no order crash");
  EXPECT_EQ(order("status"), before);
  EXPECT_EQ(random(session), CKR_DEVICE_ERROR);
}

TEST_F(FaultRules, HoldFromTheStart) {
  start_with("# the start\n\nfail C_Initialize CKR_HOST_MEMORY\r\nfail C_Login CKR_DEVICE_ERROR\n");
  EXPECT_EQ(refusal([&] { static_cast<void>(open_faulty()); }), "token token.exhausted");
  EXPECT_EQ(refusal([&] { static_cast<void>(open_faulty()); }), "token token.failed");
  EXPECT_TRUE(open_faulty()->probe().logged_in);
}

TEST_F(FaultRules, CanMeetTheVeryFirstCall) {
  start_with("fail C_GetFunctionList CKR_LIBRARY_LOAD_FAILED\n");
  EXPECT_EQ(load().first, CKR_LIBRARY_LOAD_FAILED);
  EXPECT_EQ(load().first, CKR_OK);
}

TEST_F(FaultRules, AFileWithAMistakeStopsTheStart) {
  start_with("fail C_Login CKR_DEVICE_ERROR\nfail C_Sing CKR_DEVICE_ERROR\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(load().first, CKR_GENERAL_ERROR);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("rules:2: error: PKCS #11 2.40 has no function C_Sing"), std::string::npos)
      << said;
}

TEST_F(FaultRules, AFileThatIsMissingStopsTheStart) {
  set("ESTIA_FAULTS_RULES", dir_.folder / "nowhere");
  EXPECT_EQ(load().first, CKR_GENERAL_ERROR);
}

}  // namespace
}  // namespace estia::hsm
