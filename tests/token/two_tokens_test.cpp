// SPDX-License-Identifier: Apache-2.0
// Several tokens behind one module: which is meant, and what becomes of one while another is lost.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <optional>
#include <thread>

#include "hsm/slots.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class TwoTokens : public ::testing::Test {
 protected:
  TwoTokens() { dir_.use(); }
  test::TokenDir dir_ = test::make_tokens({"twin", "twin", "single"});
};

/// Found as a hole: SoftHSM shows a token that is back only after a restart of the module, which
/// waited for the other token, for ever.
TEST_F(TwoTokens, OneThatIsBackIsTakenUpBesideOneThatIsWell) {
  TokenConfig config = dir_.config();
  config.label = "single";
  std::filesystem::path home;  // of the third token
  {
    const auto token = Token::open(config);
    static_cast<void>(token->generate(crypto::KeySpec::parse("P-256"), "ca"));
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.tokens)) {
    if (entry.path().filename() != "token.object" && entry.path().extension() == ".object") {
      home = entry.path().parent_path();
    }
  }
  const auto hidden = dir_.folder / "hidden";
  std::filesystem::rename(home, hidden);
  TokenConfig well = dir_.config();
  for (const TokenInfo& info : list_tokens(dir_.module)) {
    well.serial = info.label == "twin" ? info.serial : well.serial;
  }
  ASSERT_TRUE(Module::load(dir_.module, {})->restart(1, std::chrono::seconds(5)));
  const auto neighbour = Token::attach(well);
  const auto lost = Token::attach(config);
  while (lost->probe().state != TokenState::away) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::filesystem::rename(hidden, home);
  lost->activate();
  EXPECT_EQ(lost->probe().state, TokenState::attached);
  while (neighbour->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(neighbour->probe().logged_in);
}

/// The one is lost, and the other is well: its clients notice nothing.
class Neighbours : public TwoTokens {
 protected:
  /// Half of its workers in calls that hang make the one stuck.
  explicit Neighbours(std::size_t workers = 2) {
    TokenConfig config = dir_.config();
    config.module = test::Shim::path();
    config.label = "single";
    config.call_limit = std::chrono::milliseconds(100);
    config.session_wait = std::chrono::milliseconds(200);
    config.callers = workers;
    config.pin_marker = marker_;
    lost_ = Token::open(config);
    key_.emplace(lost_->generate(crypto::KeySpec::parse("P-256"), "ca"));
    config.call_limit = std::chrono::minutes(10);
    config.session_wait = TokenConfig().session_wait;
    for (const TokenInfo& info : list_tokens(config.module)) {
      config.serial = info.label == "twin" ? info.serial : config.serial;
    }
    config.label = {};
    config.pin_marker.clear();
    well_ = Token::open(config);
    finalized_ = shim_.calls("C_Finalize");
  }
  /// Reports the loss of the one token.
  void lose() {
    shim_.fail("C_FindObjectsInit", CKR_DEVICE_REMOVED);
    static_cast<void>(test::refusal([&] { static_cast<void>(lost_->uri_of("ca")); }));
  }
  /// In one call, which is half of what its two workers can make. The gate of C_Sign is closed.
  [[nodiscard]] std::future<bool> hang_the_lost_one() {
    shim_.close_gate("C_Sign");
    auto hangs = std::async(std::launch::async, [this] { return signs(*key_); });
    shim_.wait_in_flight("C_Sign", 1);
    expect_stuck();
    return hangs;
  }
  void expect_stuck() {
    wait_until(*lost_, TokenState::away);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // attempts go on
    EXPECT_EQ(lost_->probe().state, TokenState::away);
    EXPECT_NE(lost_->probe().why.find("token.stuck"), std::string::npos);
  }
  static void wait_until(Token& token, TokenState state) {
    while (token.probe().state != state) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  [[nodiscard]] static bool signs(const crypto::PrivateKey& key) {
    return !key.sign(Bytes{1, 2, 3}).empty();
  }
  [[nodiscard]] unsigned long restarts() const { return shim_.calls("C_Finalize") - finalized_; }

  test::Shim shim_{dir_.module};
  const std::filesystem::path marker_ = dir_.folder / "pin-refused";  ///< of the lost one
  std::shared_ptr<Token> lost_;
  std::optional<crypto::PrivateKey> key_;  ///< in it
  std::shared_ptr<Token> well_;
  unsigned long finalized_ = 0;
};

TEST_F(Neighbours, OneThatANewLoginBringsBackCostsTheOtherNothing) {
  lose();
  while (lost_->probe().logins < 2 || lost_->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(restarts(), 0U);
  EXPECT_EQ(lost_->probe().restarts, 0U);
  EXPECT_TRUE(well_->probe().logged_in);
  EXPECT_EQ(well_->probe().logins, 1U);
}

/// Found in review: nobody could use the module while a call was waited for that took long.
TEST_F(Neighbours, OneThatStaysAwayDoesNotDisturbALongCall) {
  shim_.close_gate("C_GenerateKeyPair");
  auto making = std::async(
      std::launch::async, [&] { return well_->generate(crypto::KeySpec::parse("P-256"), "slow"); });
  shim_.wait_in_flight("C_GenerateKeyPair", 1);
  shim_.fail("C_Login", CKR_DEVICE_ERROR, 3);
  const unsigned long before = shim_.calls("C_Login");
  lose();
  while (shim_.calls("C_Login") < before + 3) {
    EXPECT_EQ(well_->probe().state, TokenState::attached);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(restarts(), 0U);
  EXPECT_EQ(well_->probe().logins, 1U);
  const auto module = Module::load(test::Shim::path(), {});
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(module->calls_come_back(std::chrono::milliseconds(10))) << "whoever looks, when";
  }
  shim_.open_gate("C_GenerateKeyPair");
  EXPECT_TRUE(signs(making.get()));
}

/// Found in review: each of its calls that hung was followed by others.
TEST_F(Neighbours, OneWhoseCallsHangIsNotTakenUpBeforeTheyAreBack) {
  auto hangs = hang_the_lost_one();
  EXPECT_EQ(well_->probe().state, TokenState::attached);
  EXPECT_EQ(lost_->probe().logins, 1U);
  EXPECT_EQ(restarts(), 0U);
  shim_.open_gate("C_Sign");
  static_cast<void>(test::refusal([&] { static_cast<void>(hangs.get()); }));
  wait_until(*lost_, TokenState::attached);
}

class NeighboursOfMany : public Neighbours {
 protected:
  NeighboursOfMany() : Neighbours(8) {}
};

/// It holds up everybody who wants the key, though most of the workers are free.
TEST_F(NeighboursOfMany, OneWhoseLookForAKeyHangsIsNotTakenUpBeforeItIsBack) {
  shim_.close_gate("C_FindObjects");
  shim_.fail("C_SignInit", CKR_OBJECT_HANDLE_INVALID, 2);
  auto looks = std::async(std::launch::async, [this] { return signs(*key_); });
  shim_.wait_in_flight("C_FindObjects", 1);
  expect_stuck();
  EXPECT_EQ(lost_->probe().logins, 2U);
  EXPECT_EQ(restarts(), 0U);
  shim_.open_gate("C_FindObjects");
  static_cast<void>(test::refusal([&] { static_cast<void>(looks.get()); }));
  wait_until(*lost_, TokenState::attached);
}

/// Found in review: it could not be restarted, and was not tried without.
TEST_F(Neighbours, OneIsTakenUpWhileACallOfTheOtherHangs) {
  auto hangs = hang_the_lost_one();
  shim_.fail("C_FindObjectsInit", CKR_DEVICE_REMOVED);
  static_cast<void>(test::refusal([&] { static_cast<void>(well_->uri_of("ca")); }));
  while (well_->probe().logins < 2 || well_->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(restarts(), 0U);
  EXPECT_EQ(lost_->probe().state, TokenState::away);
  shim_.open_gate("C_Sign");
  static_cast<void>(test::refusal([&] { static_cast<void>(hangs.get()); }));
  wait_until(*lost_, TokenState::attached);
}

TEST_F(Neighbours, OneWhosePinIsRefusedCostsTheOtherNothing) {
  shim_.fail("C_Login", CKR_PIN_INCORRECT);
  const unsigned long before = shim_.calls("C_Login");
  lose();
  wait_until(*lost_, TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_EQ(restarts(), 0U);
  EXPECT_EQ(well_->probe().logins, 1U);
}

/// Found in review: an attempt that failed otherwise than by a refusal was followed by a restart
/// and another one, in the same order.
TEST_F(Neighbours, AnOrderIsOneAttempt) {
  shim_.fail("C_Login", CKR_PIN_INCORRECT);
  lose();
  wait_until(*lost_, TokenState::pin_refused);
  const unsigned long before = shim_.calls("C_Login");
  shim_.fail("C_Login", CKR_DEVICE_ERROR);
  EXPECT_EQ(refusal([&] { lost_->activate(); }), "token token.failed");
  wait_until(*lost_, TokenState::pin_refused);  // who goes on is under nobody's order
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_EQ(restarts(), 0U);
  EXPECT_TRUE(std::filesystem::exists(marker_));
  static_cast<void>(refusal([&] { lost_->activate(); }));  // a slow machine is told to wait
  wait_until(*lost_, TokenState::attached);
  EXPECT_EQ(shim_.calls("C_Login"), before + 2);
  EXPECT_FALSE(std::filesystem::exists(marker_));
}

TEST_F(Neighbours, OneThatStaysAwayCostsTheOtherALoginEveryHalfAMinuteAtMost) {
  const auto begin = std::chrono::steady_clock::now();
  shim_.fail("C_Login", CKR_DEVICE_ERROR, 6);  // attempts that end so are the lost one's
  lose();
  const unsigned long before = shim_.calls("C_Login");
  while (shim_.calls("C_Login") < before + 5) {
    static_cast<void>(lost_->probe());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(restarts(), 1U + static_cast<unsigned long>(took / std::chrono::seconds(30)));
}

/// Found as a hole: an empty label named a token without one.
TEST_F(TwoTokens, TheSerialAloneSaysWhich) {
  for (const TokenInfo& info : list_tokens(dir_.module)) {
    if (info.initialized) {
      TokenConfig config = dir_.config();
      config.label.clear();
      config.serial = info.serial;
      EXPECT_EQ(Token::open(config)->probe().serial, info.serial);
    }
  }
}

TEST_F(TwoTokens, WithOneLabelAreAmbiguousUnlessTheSerialSaysWhich) {
  TokenConfig config = dir_.config();
  EXPECT_EQ(refusal([&] { static_cast<void>(Token::open(config)); }), "config token.ambiguous");
  const auto listed = list_tokens(dir_.module);
  for (const TokenInfo& info : listed) {
    if (info.label == "twin") {
      config.serial = info.serial;
      EXPECT_EQ(Token::open(config)->probe().serial, info.serial);
    }
  }
}

TEST_F(TwoTokens, AreListedWithoutALogin) {
  int twins = 0;
  int singles = 0;
  int blank = 0;
  for (const TokenInfo& info : list_tokens(dir_.module)) {
    twins += info.label == "twin" && info.initialized && info.user_pin_set ? 1 : 0;
    singles += info.label == "single" ? 1 : 0;
    blank += info.initialized ? 0 : 1;
    EXPECT_FALSE(info.user_pin_locked);
  }
  EXPECT_EQ(twins, 2);
  EXPECT_EQ(singles, 1);
  EXPECT_EQ(blank, 1) << "SoftHSM always shows one empty slot";
}

TEST_F(TwoTokens, HaveKeysOfTheirOwn) {
  TokenConfig config = dir_.config();
  config.label = "single";
  const auto token = Token::open(config);
  static_cast<void>(token->generate(spec("P-256"), "ca"));
  const KeyUri elsewhere = KeyUri::parse("pkcs11:token=twin;object=ca");
  EXPECT_EQ(refusal([&] { static_cast<void>(token->key(elsewhere)); }),
            "config token.uri_other_token");
}

}  // namespace
}  // namespace estia::hsm
