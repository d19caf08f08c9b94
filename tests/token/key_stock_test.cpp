// SPDX-License-Identifier: Apache-2.0
// RSA pairs made in advance.
#include <gtest/gtest.h>

#include <thread>

#include "hsm/key_pair_pool.h"
#include "hsm/token_core.h"
#include "tests/token/server_keys_test_base.h"

namespace estia::hsm {

/// Begins a new epoch, as a login that was recovered will: every handle of before is stale.
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""s;
using test::refusal;

class KeyStock : public ServerKeysTestBase {
 protected:
  static constexpr std::size_t kDepth = 2;

  void SetUp() override { token_ = open_shim(); }

  void start() {
    keys_ = server_keys(token_, {.at_once = 4, .rsa_at_once = 1, .stock = {{"RSA-2048", kDepth}}});
    wait_until_full();
    expect_all_accounted_for();
  }
  template <class Condition>
  void wait_until(Condition&& holds) const {
    while (!holds(keys_->status())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // leaves the processor to it
    }
  }
  void wait_until_full() const {
    wait_until([](const ServerKeysStatus& status) { return status.in_stock == kDepth; });
  }
  /// While nothing is being made: `failed` calls gave no pair.
  void expect_all_accounted_for(unsigned long failed = 0) const {
    const ServerKeysStatus status = keys_->status();
    EXPECT_EQ(shim_.calls("C_GenerateKeyPair"),
              status.delivered + status.in_stock + status.destroyed + failed);
    EXPECT_EQ(session_objects(), 1 + 2 * status.in_stock) << "the wrapping key, and the stock";
  }
  [[nodiscard]] std::thread expect_delivered_soon() {
    return std::thread([this] { EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048"); });
  }
  /// As another user of the module might do.
  void destroy_private_keys() const {
    const auto module = Module::load(config().module, {});
    const CK_SLOT_ID slot = find_slot(*module, dir_.label, {}).id;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    ASSERT_EQ((*module)->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_OK);
    Template wanted;
    wanted.flag(CKA_TOKEN, false).number(CKA_CLASS, CKO_PRIVATE_KEY);
    const Objects objects(*module, session);
    for (const CK_OBJECT_HANDLE object : objects.find(wanted, 100)) {
      objects.destroy(object);
    }
    ASSERT_EQ((*module)->C_CloseSession(session), CKR_OK);
  }

  /// Likewise; estiad finds out.
  void destroy_login() const {
    const auto module = Module::load(config().module, {});
    ASSERT_EQ((*module)->C_CloseAllSessions(find_slot(*module, dir_.label, {}).id), CKR_OK);
    EXPECT_FALSE(token_->probe().logged_in);
  }

  std::shared_ptr<Token> token_;
  std::unique_ptr<ServerKeys> keys_;
};

/// What waits is of another life: none of it is given out.
TEST_F(KeyStock, TheEndOfTheAttachmentEndsAllOfIt) {
  const TokenCore core(config());
  const auto attached = core.attachment();
  std::atomic<std::uint64_t> destroyed{0};
  KeyPairPool pool(attached, {{"RSA-2048", 1}}, destroyed, clock_);
  while (!pool.has(spec("RSA-2048"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  attached->retire();
  EXPECT_FALSE(pool.take(spec("RSA-2048")));
  while (destroyed == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_FALSE(pool.has(spec("RSA-2048")));
  EXPECT_EQ(shim_.calls("C_GenerateKeyPair"), 1U);
}

TEST_F(KeyStock, ServesWhileNothingCanBeMade) {
  start();
  shim_.close_gate("C_GenerateKeyPair");
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  EXPECT_EQ(keys_->status().in_stock, 0U);
  EXPECT_EQ(keys_->status().delivered, 2U);
  shim_.open_gate("C_GenerateKeyPair");
  wait_until_full();
  expect_all_accounted_for();
}

TEST_F(KeyStock, EmptyAndBusyIsARefusalAndSigningGoesOn) {
  start();
  const crypto::PrivateKey ca = token_->generate(spec("P-256"), "ca");
  shim_.close_gate("C_GenerateKeyPair");
  for (std::size_t i = 0; i < kDepth; ++i) {
    EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  }
  shim_.wait_in_flight("C_GenerateKeyPair", 1);  // the stock's own
  std::thread inline_made = expect_delivered_soon();
  shim_.wait_in_flight("C_GenerateKeyPair", 2);
  EXPECT_EQ(refused(*keys_, "RSA-2048"), "busy serverkeygen.busy");
  EXPECT_TRUE(signs(ca));
  shim_.open_gate("C_GenerateKeyPair");
  inline_made.join();
  wait_until_full();
}

TEST_F(KeyStock, PairsOfAnHourAreDestroyed) {
  start();
  clock_.advance(1h - 1s);
  shim_.close_gate("C_GenerateKeyPair");
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048") << "not yet an hour";
  shim_.open_gate("C_GenerateKeyPair");
  wait_until_full();  // with one that is a second old
  const std::uint64_t before = keys_->status().destroyed;
  clock_.advance(1s);
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  wait_until([&](const ServerKeysStatus& status) { return status.destroyed > before; });
  wait_until_full();
  EXPECT_EQ(keys_->status().destroyed, before + 1);
  expect_all_accounted_for();
}

TEST_F(KeyStock, AClockPutBackMakesPairsOld) {
  start();
  const std::uint64_t before = keys_->status().destroyed;
  clock_.advance(-1s);
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  wait_until([&](const ServerKeysStatus& status) {
    return status.destroyed == before + kDepth && status.in_stock == kDepth;
  });
  expect_all_accounted_for();
}

TEST_F(KeyStock, AFailedCallEndsTheSessionAndAllItMade) {
  start();
  const std::uint64_t before = keys_->status().destroyed;
  shim_.fail("C_GenerateKeyPair", CKR_DEVICE_ERROR);
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  wait_until([&](const ServerKeysStatus& status) { return status.destroyed == before + 1; });
  wait_until_full();
  EXPECT_EQ(keys_->status().stock_failure, "");
  expect_all_accounted_for(1);
}

/// SoftHSM would take the pair away from below C_WrapKey.
TEST_F(KeyStock, AFailedSessionStaysUntilItsPairIsDelivered) {
  start();
  const unsigned long closed = shim_.calls("C_CloseSession");
  shim_.close_gate("C_WrapKey");
  shim_.fail("C_GenerateKeyPair", CKR_DEVICE_ERROR);
  std::thread delivery = expect_delivered_soon();
  shim_.wait_in_flight("C_WrapKey", 1);
  wait_until([](const ServerKeysStatus& status) { return !status.stock_failure.empty(); });
  EXPECT_EQ(shim_.calls("C_CloseSession"), closed);
  shim_.open_gate("C_WrapKey");
  delivery.join();
  wait_until_full();
  expect_all_accounted_for(1);
}

TEST_F(KeyStock, StatusTellsWhyItIsEmpty) {
  start();
  shim_.fail("C_GenerateKeyPair", CKR_DEVICE_MEMORY, 1000);
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  wait_until([](const ServerKeysStatus& status) {
    return status.stock_failure == "token.exhausted C_GenerateKeyPair: CKR_DEVICE_MEMORY (0x31)";
  });
  EXPECT_EQ(keys_->status().in_stock, 0U);
}

TEST_F(KeyStock, PairsThatWereLostAreMadeAnew) {
  start();
  const std::uint64_t before = keys_->status().destroyed;
  destroy_private_keys();
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  // With it goes what was made before its loss was known.
  wait_until([&](const ServerKeysStatus& status) { return status.destroyed >= before + kDepth; });
  wait_until_full();
  expect_all_accounted_for();
}

/// Found in review: the next client's request was the one that paid for it.
TEST_F(KeyStock, IsFilledAgainAfterARecoveryWithoutARequest) {
  start();
  const std::uint64_t epoch = token_->probe().epoch;
  destroy_login();
  wait_until([](const ServerKeysStatus& status) { return status.in_stock == 0; });
  wait_until_full();
  EXPECT_GT(token_->probe().epoch, epoch);
  EXPECT_EQ(keys_->status().delivered, 0U);
}

TEST_F(KeyStock, APairThatIsNotDestroyedIsNotDelivered) {
  start();
  const std::uint64_t before = keys_->status().destroyed;
  shim_.fail("C_DestroyObject", CKR_DEVICE_ERROR);
  EXPECT_EQ(refused(*keys_, "RSA-2048"), "token token.failed");
  wait_until([&](const ServerKeysStatus& status) { return status.destroyed >= before + kDepth; });
  wait_until_full();
  EXPECT_EQ(keys_->status().delivered, 0U);
  expect_all_accounted_for();
}

TEST_F(KeyStock, NothingStaysWhenItGoes) {
  start();
  keys_.reset();
  EXPECT_EQ(session_objects(), 0U);
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
}

TEST_F(KeyStock, ImpossibleStocksAreRefused) {
  const auto start_with = [&](const std::map<std::string, std::size_t>& stock) {
    return refusal([&] {
      static_cast<void>(server_keys(token_, {.at_once = 4, .rsa_at_once = 1, .stock = stock}));
    });
  };
  EXPECT_EQ(start_with({{"RSA-2048", ServerKeysLimits::kMostStock + 1}}),
            "config serverkeygen.stock");
  EXPECT_EQ(start_with({{"Ed25519", 1}}), "config serverkeygen.stock");
  EXPECT_EQ(start_with({{"RSA-1024", 1}}), "config key_spec.unknown");
  EXPECT_EQ(start_with({{"Ed25519", 0}}), "none");
}

TEST_F(KeyStock, TakesASession) {
  TokenConfig narrow = config();
  narrow.max_sessions = 6;
  const auto token = Token::open(narrow);
  const auto start_with = [&](std::size_t depth) {
    return refusal([&] {
      static_cast<void>(
          server_keys(token, {.at_once = 4, .rsa_at_once = 1, .stock = {{"P-256", depth}}}));
    });
  };
  EXPECT_EQ(start_with(1), "config serverkeygen.sessions");
  EXPECT_EQ(start_with(0), "none");
}

TEST_F(KeyStock, SaysWhetherItCanStop) {
  start();
  shim_.close_gate("C_GenerateKeyPair");
  EXPECT_EQ(delivered(*keys_, "RSA-2048"), "RSA-2048");
  shim_.wait_in_flight("C_GenerateKeyPair", 1);
  EXPECT_FALSE(keys_->halt_stock()) << "it is making one";
  shim_.open_gate("C_GenerateKeyPair");
  while (!keys_->halt_stock()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  keys_.reset();
  EXPECT_EQ(session_objects(), 0U);
}

/// Found in review: whoever found out what the next attachment lets out waited for its end.
TEST_F(KeyStock, HasNotStoppedWhileItsSessionDoesNotClose) {
  const TokenCore core(config());
  std::atomic<std::uint64_t> destroyed{0};
  KeyPairPool pool(core.attachment(), {{"P-256", 1}}, destroyed, clock_);
  while (!pool.has(spec("P-256"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  shim_.close_gate("C_CloseSession");
  EXPECT_FALSE(pool.halt({}));
  shim_.wait_in_flight("C_CloseSession", 1);
  EXPECT_FALSE(pool.halt(std::chrono::milliseconds(10)));
  shim_.open_gate("C_CloseSession");
  EXPECT_TRUE(pool.halt(std::chrono::minutes(1)));
}

}  // namespace
}  // namespace estia::hsm
