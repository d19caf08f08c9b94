// SPDX-License-Identifier: Apache-2.0
// What a process leaves behind for the next one about PINs that were refused.
#include "hsm/pin_marker.h"

#include <signal.h>
#include <sys/resource.h>

#include <future>
#include <thread>

#include "crypto/base/file.h"
#include "hsm/logins.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono::milliseconds;

class Marker : public RecoveryTest {
 protected:
  Marker() : RecoveryTest(milliseconds(300), {.call_limit = milliseconds(200)}) {}

  void write_wrong_pin() const { replace_file(config_.pin.file, "wrong-pin", FileMode::secret); }
  [[nodiscard]] std::filesystem::path trial() const {
    return config_.pin_marker.string() + ".trial";
  }
  /// A process that died in its first login left this.
  void leave_an_attempt() const { marker_.begin_attempt(serial()); }
  [[nodiscard]] std::string serial() const { return token_->probe().serial; }

  const PinMarker marker_{config_.pin_marker};
};

/// As long as it lives no file of this process takes a byte more.
class FullDisk final {
 public:
  FullDisk() {
    ::signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit none{0, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  }
  ~FullDisk() { EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  FullDisk(FullDisk&&) = delete;
  FullDisk& operator=(FullDisk&&) = delete;

 private:
  rlimit before_{};
};

/// Found in review: a token that took the place of another made the note of that one be forgotten.
TEST_F(Marker, KeepsWhatEachTokenRefused) {
  for (const char* serial : {"a", "b", "c", "a"}) {
    marker_.set(serial);
  }
  EXPECT_TRUE(marker_.refused("a") && marker_.refused("b") && marker_.refused("c"));
  EXPECT_FALSE(marker_.refused("d"));
  for (int i = 0; i < 100; ++i) {
    marker_.set(std::to_string(i));
  }
  EXPECT_TRUE(marker_.refused("99"));
  EXPECT_FALSE(marker_.refused("0")) << "the file does not grow for ever";
  marker_.clear("98");
  EXPECT_FALSE(marker_.refused("98"));
  EXPECT_TRUE(marker_.refused("97") && marker_.refused("99"));
  marker_.clear();
  EXPECT_FALSE(marker_.refused("99"));
}

TEST_F(Marker, OfTheOnlyTokenThatRefusedGoesAsAWhole) {
  marker_.set("a");
  marker_.clear("b");
  EXPECT_TRUE(marker_.refused("a"));
  marker_.clear("a");
  EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
}

/// What began with another token of the label, and whose end nobody knows, is of no order to this
/// one.
TEST_F(Marker, AnOrderLeavesTheAttemptThatBeganWithAnotherToken) {
  for (const char* noted : {"a", "c"}) {
    marker_.set(noted);
    marker_.begin_attempt("b");
    marker_.clear("a");
    EXPECT_TRUE(marker_.unsettled("b")) << noted;
    marker_.clear("b");
    EXPECT_FALSE(marker_.unsettled("b")) << noted;
  }
}

/// On a full disk what the others refused cannot be written anew; it is not given up for that.
TEST_F(Marker, ThatCannotBeChangedIsToldAndStays) {
  marker_.set("a");
  marker_.set("b");
  const FullDisk full;
  EXPECT_EQ(test::refusal([&] { marker_.clear("a"); }), "config token.marker");
  EXPECT_TRUE(marker_.refused("a") && marker_.refused("b"));
}

TEST_F(Marker, KeepsWhatNobodyCanRead) {
  for (const char* text : {"", "serial x", "serial x\nwhen y\n", "serial x\nat y\nmore\n"}) {
    replace_file(config_.pin_marker, text, FileMode::secret);
    marker_.set("another");
    EXPECT_TRUE(marker_.refused("any")) << text;
  }
}

/// Found in review: where the disk was full the note was lost, and each start tried the PIN again.
TEST_F(Marker, NeedsNoRoomOnceAnAttemptHasBegun) {
  marker_.set("a");
  marker_.begin_attempt("b");
  const FullDisk full;
  ASSERT_EQ(test::refusal([&] { marker_.set("c"); }), "store file.unwritable") << "nobody began it";
  marker_.set("b");
  EXPECT_TRUE(marker_.refused("a") && marker_.refused("b"));
  EXPECT_FALSE(marker_.unsettled("b"));
}

TEST_F(Marker, AnAttemptDoesNotOverwriteWhatWasNotedMeanwhile) {
  marker_.begin_attempt("b");
  marker_.set("a");
  marker_.set("b");
  EXPECT_TRUE(marker_.refused("a") && marker_.refused("b"));
}

/// The same of a whole login. The token counts nothing: nobody but the note can tell.
TEST_F(Marker, IsThereThoughTheDiskIsFull) {
  const std::string of_the_token = serial();
  key_.reset();
  token_.reset();
  shim_.close_gate("C_Login");
  shim_.fail("C_Login", CKR_PIN_INCORRECT);
  auto first = std::async(std::launch::async, [&] { return Token::attach(config_); });
  shim_.wait_in_flight("C_Login", 1);
  {
    const FullDisk full;
    shim_.open_gate("C_Login");
    const auto token = first.get();
    while (token->probe().state != TokenState::pin_refused) {
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  EXPECT_TRUE(marker_.refused(of_the_token));
  const unsigned long before = shim_.calls("C_Login");
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

/// Found in review: nobody was told, and the file that says that an attempt began was removed.
TEST_F(Marker, ThatCannotBeWrittenIsToldAndTheAttemptStaysUnsettled) {
  const std::string of_the_token = serial();
  key_.reset();
  token_.reset();
  const auto folder = dir_.folder / "state";
  const auto away = dir_.folder / "elsewhere";
  std::filesystem::create_directory(folder);
  config_.pin_marker = folder / "marker";
  const PinMarker marker(config_.pin_marker);
  shim_.close_gate("C_Login");
  shim_.fail("C_Login", CKR_PIN_INCORRECT);
  auto first = std::async(std::launch::async, [&] { return Token::attach(config_); });
  shim_.wait_in_flight("C_Login", 1);
  std::filesystem::rename(folder, away);
  shim_.open_gate("C_Login");
  const auto token = first.get();
  while (token->probe().state != TokenState::pin_refused) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_NE(token->probe().why.find("could not be noted"), std::string::npos) << token->probe().why;
  std::filesystem::rename(away, folder);
  EXPECT_TRUE(marker.unsettled(of_the_token));
}

/// Found in review: it was written once the session was closed, and that call hung.
TEST_F(Marker, IsThereBeforeAnyOtherCall) {
  const std::string of_the_token = serial();
  key_.reset();
  token_.reset();
  write_wrong_pin();
  shim_.close_gate("C_CloseSession");
  const auto next = Token::attach(config_);
  shim_.wait_in_flight("C_CloseSession", 1);
  EXPECT_EQ(next->probe().state, TokenState::away) << "it hangs";
  EXPECT_TRUE(marker_.refused(of_the_token));
  shim_.open_gate("C_CloseSession");
  while (next->probe().state != TokenState::pin_refused) {
    std::this_thread::sleep_for(milliseconds(2));
  }
}

/// Found in review: a process that was killed while its login hung was followed by another wrong
/// PIN.
TEST_F(Marker, AnAttemptWhoseEndNobodyKnowsIsTheOperatorsIfTheTokenCountedIt) {
  leave_an_attempt();
  shim_.add_token_flags(CKF_USER_PIN_COUNT_LOW);
  const unsigned long before = shim_.calls("C_Login");
  const auto next = Token::attach(config_);
  EXPECT_EQ(next->probe().state, TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before);
  EXPECT_TRUE(marker_.refused(serial()));
}

TEST_F(Marker, AnAttemptThatTheTokenDidNotCountIsMadeAgain) {
  leave_an_attempt();
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::attached);
  EXPECT_FALSE(std::filesystem::exists(trial()));
}

/// Found in review: where the token has no flags each start sent the PIN once more, for ever.
TEST_F(Marker, TwoAttemptsInARowWhoseEndsNobodyKnowsAreTheOperators) {
  leave_an_attempt();
  leave_an_attempt();  // by the next process, which was killed in it, too
  const unsigned long before = shim_.calls("C_Login");
  {
    const FullDisk full;
    const auto next = Token::attach(config_);
    EXPECT_EQ(next->probe().state, TokenState::pin_refused);
    EXPECT_NE(next->probe().why.find("the ends of two logins"), std::string::npos);
    EXPECT_TRUE(marker_.refused(serial())) << "which takes no room";
  }
  const auto after = Token::attach(config_);
  EXPECT_EQ(after->probe().state, TokenState::pin_refused);
  EXPECT_NE(after->probe().why.find("an attempt whose end is not known"), std::string::npos)
      << after->probe().why;
  EXPECT_EQ(shim_.calls("C_Login"), before);
  after->activate();
  EXPECT_EQ(after->probe().state, TokenState::attached);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
}

TEST_F(Marker, AnAttemptWhoseEndIsKnownBeginsTheCountAnew) {
  for (int i = 0; i < 3; ++i) {
    leave_an_attempt();
    EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::attached);
    leave_an_attempt();
    shim_.fail("C_Login", CKR_DEVICE_ERROR);
    EXPECT_EQ(test::refusal([&] { try_pin(config_); }), "token token.failed");
    EXPECT_FALSE(std::filesystem::exists(trial()));
  }
}

/// Nor does one that ended before the PIN was tried forget the one that may have been counted.
TEST_F(Marker, AnAttemptWithoutAPinBeginsNothingAnew) {
  leave_an_attempt();
  for (int i = 0; i < 3; ++i) {
    shim_.fail("C_OpenSession", CKR_DEVICE_ERROR);
    EXPECT_EQ(test::refusal([&] { try_pin(config_); }), "token token.failed");
  }
  EXPECT_EQ(marker_.last_attempt(serial()), PinMarker::End::unknown);
  shim_.add_token_flags(CKF_USER_PIN_COUNT_LOW);
  const unsigned long before = shim_.calls("C_Login");
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

/// The answer was no refusal, though the token then says nothing of its counts: an outage.
/// Found in review: a token that hung before the PIN was told counted, and two stops of estiad were
/// a refused PIN.
TEST_F(Marker, NoAttemptBeginsBeforeThePinIsTold) {
  const std::string its = serial();
  for (const auto& [function, told] : {std::pair("C_OpenSession", false), {"C_Login", true}}) {
    shim_.close_gate(function);
    auto start = std::async(std::launch::async, [&] { return Token::attach(config_); });
    shim_.wait_in_flight(function, 1);
    EXPECT_EQ(marker_.unsettled(its), told) << function;
    shim_.open_gate(function);
    const auto another = start.get();
    while (another->probe().state != TokenState::attached) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    EXPECT_FALSE(marker_.unsettled(its)) << function;
  }
}

TEST_F(Marker, AnAnswerThatTellsNothingIsAnEnd) {
  leave_an_attempt();
  key_.reset();
  token_.reset();
  shim_.close_gate("C_Login");
  shim_.fail("C_Login", CKR_DEVICE_ERROR);
  auto first = std::async(std::launch::async, [&] { return Token::attach(config_); });
  shim_.wait_in_flight("C_Login", 1);
  shim_.fail("C_GetSlotList", CKR_DEVICE_ERROR);
  shim_.open_gate("C_Login");
  const auto next = first.get();
  while (next->probe().state != TokenState::attached) {
    ASSERT_NE(next->probe().state, TokenState::pin_refused) << next->probe().why;
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_FALSE(std::filesystem::exists(trial()));
}

/// Nobody would know that it was the second one.
TEST_F(Marker, ASecondAttemptThatCannotBeNotedIsNotMade) {
  leave_an_attempt();
  const unsigned long before = shim_.calls("C_Login");
  const FullDisk full;
  const auto next = Token::attach(config_);
  EXPECT_EQ(next->probe().state, TokenState::away);
  EXPECT_NE(next->probe().why.find("token.marker"), std::string::npos) << next->probe().why;
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

/// Found in review: nothing noticed an attempt that stayed open though the token had answered. What
/// somebody else enters wrongly later would be taken for ours.
TEST_F(Marker, AnAttemptThatFailedAndWasNotCountedIsOver) {
  for (const char* function : {"C_Login", "C_OpenSession"}) {
    shim_.fail(function, CKR_DEVICE_ERROR);
    EXPECT_EQ(test::refusal([&] { try_pin(config_); }), "token token.failed");
    EXPECT_FALSE(std::filesystem::exists(trial())) << function;
  }
  EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
  shim_.add_token_flags(CKF_USER_PIN_COUNT_LOW);
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::attached);
}

/// Only an order takes a note away: a login that nobody ordered succeeds with the PIN of its
/// beginning, and what pkcs11-provider notes meanwhile may be of the PIN as it is now.
TEST_F(Marker, OutlivesALoginThatNobodyOrdered) {
  marker_.set("another");
  const std::string of_the_token = serial();
  shim_.close_gate("C_Login");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  auto lost = std::async(std::launch::async, [&] { return refused(); });
  shim_.wait_in_flight("C_Login", 1);
  marker_.set(of_the_token);
  shim_.open_gate("C_Login");
  while (token_->probe().logins + token_->probe().restarts < 2) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  static_cast<void>(lost.get());
  EXPECT_TRUE(marker_.refused("another"));
  EXPECT_TRUE(marker_.refused(of_the_token));
  token_->activate();
  EXPECT_TRUE(marker_.refused("another"));
  EXPECT_FALSE(marker_.refused(of_the_token));
}

/// What somebody else entered wrongly is no reason.
TEST_F(Marker, WithoutAnAttemptOfOursACountIsNoReason) {
  shim_.add_token_flags(CKF_USER_PIN_COUNT_LOW);
  EXPECT_EQ(Token::attach(config_)->probe().state, TokenState::attached);
}

/// Found in review: the order took the note away, the token came back later, and the wrong PIN was
/// tried by nobody's order.
TEST_F(Marker, OutlivesAnOrderToATokenThatIsAway) {
  write_wrong_pin();
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_EQ(refused(), "token token.pin_refused");
  wait_until(TokenState::pin_refused);
  const unsigned long before = shim_.calls("C_Login");
  shim_.fail("C_GetSlotList", CKR_DEVICE_REMOVED, 5);
  EXPECT_NE(test::refusal([&] { token_->activate(); }), "none");
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
  wait_until(TokenState::pin_refused);
  EXPECT_EQ(shim_.calls("C_Login"), before);
}

}  // namespace
}  // namespace estia::hsm
