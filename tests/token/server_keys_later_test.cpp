// SPDX-License-Identifier: Apache-2.0
// What the token lets out is found out while others go on.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/token/server_keys_test_base.h"

namespace estia::hsm {
namespace {

class ServerKeysLater : public ServerKeysTestBase {
 protected:
  void SetUp() override { token_ = open_shim(); }
  void TearDown() override { shim_.open_gate("C_GenerateKeyPair"); }

  void make(const ServerKeysLimits& limits = {}) {
    keys_ = std::make_unique<ServerKeys>(*token_, limits, clock_, ServerKeys::FindOut::later);
  }
  void begin() {
    keys_->begin([this](const Error* refused) {
      refused_ = refused != nullptr ? refused->id() : "nothing";
      ++told_;
    });
  }
  void wait_until_told() const {
    while (told_ == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  std::shared_ptr<Token> token_;
  std::string refused_;  // read once told_ is not zero
  std::atomic<unsigned> told_{0};
  std::unique_ptr<ServerKeys> keys_;
};

/// Found in review: whoever made it waited for the token, for ever if that was silent.
TEST_F(ServerKeysLater, ATokenThatIsSilentIsWaitedForByNobody) {
  const crypto::PrivateKey ca = token_->generate(spec("P-256"), "ca");
  shim_.close_gate("C_GenerateKeyPair");
  make();
  begin();
  shim_.wait_in_flight("C_GenerateKeyPair", 1);
  EXPECT_TRUE(signs(ca));
  EXPECT_EQ(keys_->status().refused, "not found out yet");
  EXPECT_EQ(delivered(*keys_, "P-256"), "busy serverkeygen.busy");
  EXPECT_FALSE(keys_->halt_stock()) << "a call is out";
  EXPECT_EQ(told_, 0U);
  shim_.open_gate("C_GenerateKeyPair");
  wait_until_told();
  EXPECT_EQ(refused_, "nothing");
  EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
}

TEST_F(ServerKeysLater, ItIsToldAlsoWhereWhoeverAskedForAKeyFoundOut) {
  make();
  EXPECT_EQ(shim_.calls("C_GenerateKeyPair"), 0U);
  EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
  begin();
  wait_until_told();
  EXPECT_EQ(refused_, "nothing");
}

TEST_F(ServerKeysLater, AStockThatCannotBeIsToldAndTheOthersAreMade) {
  make({.at_once = 4, .rsa_at_once = 1, .stock = {{"Ed25519", 1}, {"P-256", 1}}});
  begin();
  wait_until_told();
  EXPECT_EQ(refused_, "serverkeygen.stock");
  while (keys_->status().in_stock == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(delivered(*keys_, "P-256"), "P-256");
}

}  // namespace
}  // namespace estia::hsm
