// SPDX-License-Identifier: Apache-2.0
// What a check costs is counted in runs of scrypt, never measured (D16).
#include "server/auth/password_check.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "crypto/base/error.h"
#include "server/auth/password.h"

namespace estia::auth {
namespace {

using Cost = PasswordCheck::Cost;

ca::Account chosen(const std::string& password) {
  return {"est", "anna", hash_chosen_password(Secret(password))};
}
ca::Account generated(const std::string& password) {
  return {"est", "machine", hash_generated_secret(Secret(password))};
}

TEST(PasswordCheck, EveryFailureCostsTheSameOnOneAlias_D16) {
  const ca::Account anna = chosen("a chosen password");
  const ca::Account machine = generated("a generated one");
  PasswordCheck check;
  const auto runs = [&](const ca::Account* account, const char* password, Cost cost) {
    const std::uint64_t before = check.slow_checks();
    EXPECT_FALSE(check.matches(account, password, cost));
    return check.slow_checks() - before;
  };
  EXPECT_EQ(runs(nullptr, "x", Cost::costly), 1U);
  EXPECT_EQ(runs(&machine, "x", Cost::costly), 1U);
  EXPECT_EQ(runs(&anna, "x", Cost::costly), 1U);
  EXPECT_EQ(runs(nullptr, "x", Cost::cheap), 0U);
  EXPECT_EQ(runs(&machine, "x", Cost::cheap), 0U);
}

TEST(PasswordCheck, ARightPasswordIsCheckedSlowlyOnceUntilTheAccountChanges) {
  ca::Account anna = chosen("a chosen password");
  PasswordCheck check;
  EXPECT_TRUE(check.matches(&anna, "a chosen password", Cost::costly));
  EXPECT_TRUE(check.matches(&anna, "a chosen password", Cost::costly));
  EXPECT_EQ(check.slow_checks(), 1U);
  EXPECT_FALSE(check.matches(&anna, "a chosen passwort", Cost::costly));
  EXPECT_EQ(check.slow_checks(), 2U);
  EXPECT_TRUE(check.matches(&anna, "a chosen password", Cost::costly)) << "still remembered";
  EXPECT_EQ(check.slow_checks(), 2U);
  const ca::Account again = chosen("a chosen password");  // set anew
  EXPECT_TRUE(check.matches(&again, "a chosen password", Cost::costly));
  EXPECT_EQ(check.slow_checks(), 3U);
  const ca::Account changed = chosen("another password");
  EXPECT_FALSE(check.matches(&changed, "a chosen password", Cost::costly));
}

TEST(PasswordCheck, AGeneratedPasswordNeverWaits) {
  const ca::Account machine = generated("a generated one");
  PasswordCheck check;
  EXPECT_TRUE(check.matches(&machine, "a generated one", Cost::costly));
  EXPECT_EQ(check.slow_checks(), 0U);
}

TEST(PasswordCheck, BeyondItsQueueItRefusesAndServesOthersAllTheSame) {
  const ca::Account anna = chosen("a chosen password");
  const ca::Account machine = generated("a generated one");
  PasswordCheck check({.queue = 0});
  try {
    static_cast<void>(check.matches(&anna, "x", Cost::costly));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), "auth.password_queue");
    EXPECT_EQ(error.code(), ErrorCode::too_many);
  }
  EXPECT_TRUE(check.matches(&machine, "a generated one", Cost::costly));
}

TEST(PasswordCheck, ServesManyAtOnce) {
  const ca::Account anna = chosen("a chosen password");
  PasswordCheck check;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      right += check.matches(&anna, i % 2 == 0 ? "a chosen password" : "x", Cost::costly) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, 4);
}

TEST(PasswordCheck, AnAliasIsCostlyByItsOwnAccounts) {
  ca::Snapshot snapshot;
  snapshot.accounts = {generated("a generated one"), {"other", "x", chosen("abc").password}};
  ca::Alias alias;
  alias.name = "est";
  EXPECT_EQ(PasswordCheck::cost_of(snapshot, alias), Cost::cheap);
  snapshot.accounts.push_back(chosen("a chosen password"));
  EXPECT_EQ(PasswordCheck::cost_of(snapshot, alias), Cost::costly);
}

}  // namespace
}  // namespace estia::auth
