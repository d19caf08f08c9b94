// SPDX-License-Identifier: Apache-2.0
// What an operator's probe tells of a real token, and that it can be had once at a time.
#include "server/app/token_trial.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>
#include <mutex>
#include <sstream>
#include <thread>

#include "crypto/base/error.h"
#include "crypto/x509/certificate_builder.h"
#include "server/ops/log.h"
#include "tests/support/refusal.h"
#include "tests/support/token_fixture.h"

namespace estia::app {
namespace {

/// One key for every CA, or a refusal; may be made to wait.
class OneKey final : public ca::CaKeys {
 public:
  explicit OneKey(crypto::PrivateKey key) : key_(std::move(key)) {}
  [[nodiscard]] crypto::PrivateKey key_for(const ca::CertificationAuthority& ca) const override {
    if (gate.valid()) {
      std::call_once(first_, [&] { asked.set_value(); });
      gate.wait();
    }
    if (ca.name == "broken") {
      throw Error(ErrorCode::token, "token.key_not_found", "there is no such key", "canary");
    }
    return key_;
  }
  void distrust(const ca::CertificationAuthority& /*ca*/) const noexcept override {}
  std::shared_future<void> gate{};
  mutable std::promise<void> asked{};

 private:
  crypto::PrivateKey key_;
  mutable std::once_flag first_;
};

class TokenTrialTest : public testing::Test {
 protected:
  TokenTrialTest() {
    ops::set_up_log(ops::Level::info, log_);
    ::signal(SIGPIPE, SIG_IGN);  // as the daemon does
    dir_.use();
    token_ = hsm::Token::open(dir_.config());
    keys_ = std::make_unique<OneKey>(token_->generate(crypto::KeySpec::parse("P-256"), "ca"));
  }
  ~TokenTrialTest() override { ops::set_up_log(ops::Level::info); }
  TokenTrialTest(const TokenTrialTest&) = delete;
  TokenTrialTest& operator=(const TokenTrialTest&) = delete;
  TokenTrialTest(TokenTrialTest&&) = delete;
  TokenTrialTest& operator=(TokenTrialTest&&) = delete;
  void add_ca(const std::string& name, bool served) {
    snapshot_.cas.emplace(name, ca::CertificationAuthority{
                                    .name = name, .key_uri = "pkcs11:object=" + name, .chain = {}});
    if (served) {
      ca::Alias alias{};
      alias.name = "of-" + name;
      alias.ca = name;
      snapshot_.aliases.emplace(alias.name, alias);
    }
  }

  std::ostringstream log_;
  const test::TokenDir dir_ = test::make_token();
  std::shared_ptr<hsm::Token> token_;
  std::unique_ptr<OneKey> keys_;
  ca::Snapshot snapshot_;
};

TEST_F(TokenTrialTest, EachServedCaSignsOnceAndIsNamed) {
  add_ca("broken", true);
  add_ca("good", true);
  add_ca("root", false);
  TokenTrial trial(*keys_);
  const std::vector<api::ProvedKey> keys = trial.run(snapshot_);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].ca, "broken");
  EXPECT_EQ(keys[0].id, "token.key_not_found");
  EXPECT_EQ(keys[0].reason, "there is no such key: canary");
  EXPECT_EQ(keys[1].ca, "good");
  EXPECT_EQ(keys[1].id, "");
  EXPECT_EQ(keys[1].reason, "");
}

/// A token that hangs must not take every worker of the management listener.
TEST_F(TokenTrialTest, AnotherOneMeanwhileIsRefused) {
  add_ca("good", true);
  std::promise<void> open;
  keys_->gate = open.get_future().share();
  TokenTrial trial(*keys_);
  auto first = std::async(std::launch::async, [&] { return trial.run(snapshot_); });
  keys_->asked.get_future().wait();
  EXPECT_EQ(test::refusal([&] { static_cast<void>(trial.run(snapshot_)); }), "busy token.probing");
  open.set_value();
  EXPECT_EQ(first.get().at(0).id, "");
  keys_->gate = {};
  EXPECT_EQ(trial.run(snapshot_).at(0).id, "") << "and it is free again";
}

/// Found in review: it was answered after a minute, by the listener, with nothing of the others.
TEST_F(TokenTrialTest, AKeyThatDoesNotAnswerIsSaidToHang) {
  add_ca("first", true);
  add_ca("second", true);
  std::promise<void> open;
  keys_->gate = open.get_future().share();
  TokenTrial trial(*keys_, {.each = std::chrono::milliseconds(50)});
  const std::vector<api::ProvedKey> keys = trial.run(snapshot_);
  ASSERT_EQ(keys.size(), 2U);
  for (const api::ProvedKey& key : keys) {
    EXPECT_EQ(key.id, "token.no_answer");
  }
  EXPECT_FALSE(trial.idle());
  EXPECT_EQ(test::refusal([&] { static_cast<void>(trial.run(snapshot_)); }), "busy token.probing");
  open.set_value();
  while (!trial.idle()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(trial.run(snapshot_).at(1).id, "");
}

/// Found in review: the log had nothing of it until the call came back, and then that it was
/// proved.
TEST_F(TokenTrialTest, TheLogHasWhatWasAnsweredAndWhatCameLater) {
  add_ca("first", true);
  std::promise<void> open;
  keys_->gate = open.get_future().share();
  TokenTrial trial(*keys_, {.each = std::chrono::milliseconds(50)});
  static_cast<void>(trial.run(snapshot_));
  EXPECT_NE(log_.str().find("event=token.proved ca=first id=token.no_answer"), std::string::npos)
      << log_.str();
  open.set_value();
  while (!trial.idle()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_NE(log_.str().find("event=token.proved_late ca=first id=ok"), std::string::npos)
      << log_.str();
  EXPECT_EQ(log_.str().find("event=token.proved ca=first id=ok"), std::string::npos) << log_.str();
}

/// Found in review: the audit trail had `ok` where every key had failed.
TEST_F(TokenTrialTest, ItsOutcomeIsOkOnlyWhereEachIsProved) {
  add_ca("good", true);
  TokenTrial trial(*keys_);
  EXPECT_EQ(TokenTrial::outcome_of(trial.run(snapshot_)).id, "ok");
  add_ca("broken", true);
  const Outcome outcome = TokenTrial::outcome_of(trial.run(snapshot_));
  EXPECT_EQ(outcome.id, "failed");
  EXPECT_EQ(outcome.detail, "keys=2 failed=1");
}

TEST_F(TokenTrialTest, AllOfThemHaveALimit) {
  add_ca("first", true);
  add_ca("second", true);
  std::promise<void> open;
  keys_->gate = open.get_future().share();
  TokenTrial trial(*keys_, {.all = std::chrono::milliseconds(50)});
  EXPECT_NE(trial.run(snapshot_).at(1).reason.find("not tried"), std::string::npos);
  open.set_value();
}

}  // namespace
}  // namespace estia::app
