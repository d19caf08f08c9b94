// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <fstream>
#include <thread>

#include "crypto/base/file.h"
#include "hsm/login_session.h"
#include "hsm/slots.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class Login : public ShimTest {
 protected:
  [[nodiscard]] std::string refused(const TokenConfig& tried) const {
    return refusal([&] { static_cast<void>(Token::open(tried)); });
  }

  /// The configuration with a PIN file of that content and mode.
  [[nodiscard]] TokenConfig with_pin(const std::string& pin, FileMode mode = FileMode::secret) {
    TokenConfig changed = config();
    changed.pin.file = dir_.folder / "another-pin";
    write_new_file(changed.pin.file, pin, mode);
    return changed;
  }
};

TEST_F(Login, HappensOnceHoweverMuchIsDone) {
  const auto token = open_shim();
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(signs(token->key(token->uri_of("ca"))));
  }
  EXPECT_TRUE(token->probe().logged_in);
  EXPECT_EQ(shim_.calls("C_Login"), 1U);
  EXPECT_EQ(shim_.calls("C_Logout"), 0U);
  EXPECT_EQ(shim_.calls("C_CloseAllSessions"), 0U);
}

TEST_F(Login, WrongPinIsTriedOnce) {
  const TokenConfig wrong = with_pin("0000-not-it\n");
  EXPECT_EQ(refused(wrong), "token token.pin_incorrect");
  EXPECT_EQ(shim_.calls("C_Login"), 1U);
  EXPECT_EQ(shim_.calls("C_OpenSession"), shim_.calls("C_CloseSession"));
  EXPECT_TRUE(open_shim()->probe().logged_in) << "the right one still works";
}

TEST_F(Login, NoErrorTellsThePin) {
  try {
    static_cast<void>(Token::open(with_pin("0000-not-it\n")));
    FAIL();
  } catch (const Error& error) {
    const std::string all = error.id() + error.what() + error.detail();
    EXPECT_EQ(all.find("0000-not-it"), std::string::npos) << all;
  }
}

TEST_F(Login, EmptyPinIsRefusedBeforeAnyLogin) {
  EXPECT_EQ(refused(with_pin("\n")), "config file.secret_empty");
  EXPECT_EQ(shim_.calls("C_Login"), 0U);
}

const LoginSession::Attempt kAccountOfNobody{[] {}, [] {}, [] {}};

TEST_F(Login, EmptySecretIsRefusedBeforeAnyCall) {
  const auto module = Module::load(test::Shim::path(), "");
  const Slot slot = find_slot(*module, dir_.label, "");
  EXPECT_EQ(refusal([&] {
              const LoginSession session(module, slot, 0, Secret(), std::chrono::seconds(1),
                                         kAccountOfNobody);
            }),
            "config token.pin_empty");
  EXPECT_EQ(shim_.calls("C_OpenSession"), 0U);
}

TEST_F(Login, ATokenThatCameIntoTheSlotMeanwhileGetsNoPin) {
  const auto module = Module::load(test::Shim::path(), "");
  Slot expected = find_slot(*module, dir_.label, "");
  expected.token.serial = "another";
  EXPECT_EQ(refusal([&] {
              const LoginSession session(module, expected, 0, config().pin.read(),
                                         std::chrono::seconds(1), kAccountOfNobody);
            }),
            "token token.gone");
  EXPECT_EQ(shim_.calls("C_Login"), 0U);
  EXPECT_EQ(shim_.calls("C_OpenSession"), shim_.calls("C_CloseSession"));
}

TEST_F(Login, PinFileOthersCanReadIsRefused) {
  EXPECT_EQ(refused(with_pin("1234\n", FileMode::readable)), "config file.secret_mode");
  EXPECT_EQ(shim_.calls("C_Login"), 0U);
}

TEST_F(Login, MissingPinFileIsRefused) {
  TokenConfig missing = config();
  missing.pin.file = dir_.folder / "absent";
  EXPECT_EQ(refused(missing), "config file.unreadable");
}

TEST_F(Login, EachPinTroubleHasItsOwnId) {
  const std::vector<std::pair<CK_RV, std::string>> table = {
      {CKR_PIN_LOCKED, "token token.pin_locked"},
      {CKR_PIN_EXPIRED, "token token.pin_expired"},
      {CKR_USER_PIN_NOT_INITIALIZED, "token token.pin_not_set"},
      {CKR_PIN_LEN_RANGE, "token token.pin_incorrect"},
      {CKR_DEVICE_ERROR, "token token.failed"},
  };
  unsigned long calls = 0;
  for (const auto& [rv, id] : table) {
    shim_.fail("C_Login", rv);
    EXPECT_EQ(refused(config()), id);
    EXPECT_EQ(shim_.calls("C_Login"), ++calls) << "one attempt";
  }
}

TEST_F(Login, LoginOfAnotherUserInTheProcessIsAccepted) {
  const auto first = open_shim();
  const auto second = open_shim();
  const crypto::PrivateKey key = second->generate(spec("P-256"), "ca");
  EXPECT_TRUE(signs(first->key(first->uri_of("ca"))));
}

TEST_F(Login, TokenIsFoundByLabelWithOrWithoutPadding) {
  TokenConfig padded = config();
  padded.label.resize(32, ' ');
  EXPECT_EQ(Token::open(padded)->probe().label, dir_.label);
}

TEST_F(Login, UnknownTokenIsNotFound) {
  TokenConfig other = config();
  other.label = "another";
  EXPECT_EQ(refused(other), "token token.not_found");
  other = config();
  other.serial = "0000000000000000";
  EXPECT_EQ(refused(other), "token token.not_found");
  EXPECT_EQ(shim_.calls("C_Login"), 0U);
}

TEST_F(Login, StatusTellsTokenAndSessions) {
  const auto token = open_shim();
  const TokenStatus status = token->probe();
  EXPECT_TRUE(status.present);
  EXPECT_TRUE(status.logged_in);
  EXPECT_EQ(status.label, dir_.label);
  EXPECT_FALSE(status.serial.empty());
  EXPECT_EQ(status.model, "SoftHSM v2");
  EXPECT_EQ(status.sessions_open, 0U);
  EXPECT_EQ(status.sessions_cap, 64U);
  EXPECT_EQ(status.epoch, 1U);
  EXPECT_EQ(shim_.calls("C_Sign"), 0U);
}

TEST_F(Login, StatusOfATokenThatIsGoneIsAnAnswer) {
  const auto token = open_shim();
  shim_.fail("C_GetTokenInfo", CKR_DEVICE_REMOVED);
  EXPECT_FALSE(token->probe().present);
  shim_.fail("C_GetSessionInfo", CKR_SESSION_HANDLE_INVALID);
  while (token->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // it is recovered by looking
  }
  EXPECT_EQ(token->probe().restarts, 1U);
  shim_.fail("C_GetSessionInfo", CKR_SESSION_HANDLE_INVALID);
  EXPECT_FALSE(token->probe().logged_in);
}

class Modules : public Login {};

TEST_F(Modules, OpenSslErrorQueueStaysAsItWas) {
  ERR_clear_error();
  const auto token = open_shim();  // SoftHSM leaves entries in C_Initialize
  EXPECT_EQ(ERR_peek_error(), 0UL);
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
  static_cast<void>(token->probe());
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), ERR_R_INTERNAL_ERROR);
  EXPECT_EQ(ERR_get_error(), 0UL);
}

TEST_F(Modules, ThatRefusesOurLocksGetsTheSystems) {
  shim_.fail("C_Initialize", CKR_CANT_LOCK);
  EXPECT_TRUE(open_shim()->probe().logged_in);
  EXPECT_EQ(shim_.calls("C_Initialize"), 2U);
}

TEST_F(Modules, ThatSomebodyInitialisedIsAccepted) {
  shim_.fail_after("C_Initialize", CKR_CRYPTOKI_ALREADY_INITIALIZED);
  EXPECT_TRUE(open_shim()->probe().logged_in);
}

TEST_F(Modules, ThatFailsToInitialiseIsAnErrorAndMayBeTriedAgain) {
  shim_.fail("C_Initialize", CKR_DEVICE_ERROR);
  EXPECT_EQ(refused(config()), "token token.failed");
  EXPECT_TRUE(open_shim()->probe().logged_in);
}

TEST_F(Modules, AreInitialisedOncePerProcess) {
  const auto first = open_shim();
  static_cast<void>(list_tokens(test::Shim::path()));
  const auto second = open_shim();
  EXPECT_EQ(shim_.calls("C_Initialize"), 1U);
}

TEST_F(Modules, TakeOneSetOfArguments) {
  const auto first = open_shim();
  TokenConfig other = config();
  other.init_args = "x=y";
  EXPECT_EQ(refused(other), "config token.module_in_use");
}

TEST_F(Modules, NeedAnAbsolutePath) {
  TokenConfig bad = config();
  bad.module = "libsofthsm2.so";
  EXPECT_EQ(refused(bad), "config token.module_path");
  bad.module = "";
  EXPECT_EQ(refused(bad), "config token.module_path");
}

TEST_F(Modules, MustBeModules) {
  TokenConfig bad = config();
  bad.module = dir_.folder / "absent.so";
  EXPECT_EQ(refused(bad), "config token.module_unloadable");
  bad.module = dir_.folder;
  EXPECT_EQ(refused(bad), "config token.module_unloadable");
  bad.module = dir_.conf;
  EXPECT_EQ(refused(bad), "config token.module_unloadable");
  bad.module = ESTIA_NOT_A_MODULE;
  EXPECT_EQ(refused(bad), "config token.module_invalid");
}

}  // namespace
}  // namespace estia::hsm
