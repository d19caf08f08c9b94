// SPDX-License-Identifier: Apache-2.0
// Where a token's PIN comes from besides a file.
#include <stdlib.h>

#include "crypto/base/file.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono::milliseconds;

class PinSources : public RecoveryTest {
 protected:
  [[nodiscard]] Secret pin() const { return read_secret_file(dir_.pin_file); }
  /// A daemon's view of the token, whose PIN an operator brings.
  [[nodiscard]] std::shared_ptr<Token> attach_held() {
    config_.pin = {.file = {}, .held = std::make_shared<HeldPin>()};
    key_.reset();
    token_.reset();
    {
      const std::lock_guard lock(mutex_);
      events_.clear();
    }
    return Token::attach(config_);
  }
  [[nodiscard]] std::filesystem::path credential(const std::string& contents,
                                                 std::filesystem::perms permissions) const {
    const auto folder = dir_.folder / "credentials";
    std::filesystem::create_directories(folder);
    write_new_file(folder / "pin", contents, FileMode::secret);
    std::filesystem::permissions(folder / "pin", permissions);
    EXPECT_EQ(::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1), 0);
    return folder / "pin";
  }
};

TEST_F(PinSources, AnOperatorBringsIt) {
  const auto token = attach_held();
  EXPECT_EQ(token->probe().state, TokenState::pin_awaited);
  EXPECT_EQ(events(), "pin_awaited");
  EXPECT_EQ(shim_.calls("C_Login"), 1U) << "the fixture's";
  EXPECT_EQ(test::refusal([&] { token->activate(); }), "token token.pin_awaited");
  token->activate(pin());
  EXPECT_EQ(token->probe().state, TokenState::attached);
  EXPECT_EQ(events(), "pin_awaited attached");
}

/// It is kept for that: nobody should have to get up for a session that was lost.
TEST_F(PinSources, OneThatWasBroughtServesLaterLogins) {
  const auto token = attach_held();
  token->activate(pin());
  const crypto::PrivateKey key = token->key(KeyUri::parse("pkcs11:object=ca"));
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_TRUE(signs(key));
  EXPECT_EQ(token->probe().logins, 1U);
  EXPECT_EQ(token->probe().restarts, 1U) << "how an order is carried out";
}

TEST_F(PinSources, OneThatWasRefusedIsForgotten) {
  const auto token = attach_held();
  const unsigned long before = shim_.calls("C_Login");
  EXPECT_EQ(test::refusal([&] { token->activate(Secret(std::string_view("wrong-pin"))); }),
            "token token.pin_refused");
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_EQ(test::refusal([&] { token->activate(); }), "token token.pin_awaited");
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
  EXPECT_TRUE(std::filesystem::exists(config_.pin_marker)) << "nothing was brought";
  token->activate(pin());
  EXPECT_EQ(token->probe().state, TokenState::attached);
  EXPECT_FALSE(std::filesystem::exists(config_.pin_marker));
}

TEST_F(PinSources, OneThatIsNotNeededIsNotKept) {
  const auto token = attach_held();
  token->activate(pin());
  const crypto::PrivateKey key = token->key(KeyUri::parse("pkcs11:object=ca"));
  EXPECT_EQ(test::refusal([&] { token->activate(Secret(std::string_view("another"))); }),
            "conflict token.pin_not_needed");
  ASSERT_EQ(other().C_CloseAllSessions(slot()), CKR_OK);
  EXPECT_TRUE(signs(key));
}

TEST_F(PinSources, ATokenWithAFileTakesNone) {
  EXPECT_EQ(test::refusal([&] { token_->activate(pin()); }), "conflict token.pin_not_taken");
  EXPECT_TRUE(signs_now());
}

TEST_F(PinSources, ACredentialOfTheServiceManager) {
  using std::filesystem::perms;
  static_cast<void>(credential(std::string(pin().text()) + "\n",
                               perms::owner_read | perms::group_read));  // an access list shows so
  config_.pin = {.file = {}, .credential = "pin"};
  token_.reset();
  EXPECT_EQ(Token::open(config_)->probe().state, TokenState::attached);
}

TEST_F(PinSources, ACredentialThatOthersReadIsRefused) {
  using std::filesystem::perms;
  static_cast<void>(credential("secret", perms::owner_read | perms::others_read));
  const PinSource source{.file = {}, .credential = "pin"};
  EXPECT_EQ(test::refusal([&] { static_cast<void>(source.read()); }), "config file.secret_mode");
}

TEST_F(PinSources, WithoutCredentialsThereIsNone) {
  ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
  const PinSource source{.file = {}, .credential = "pin"};
  EXPECT_EQ(test::refusal([&] { static_cast<void>(source.read()); }),
            "config token.no_credentials");
}

/// One more wrong PIN would lock the token, and ours may have been changed.
TEST_F(PinSources, AFinalTryIsTheOperators) {
  token_.reset();
  key_.reset();
  shim_.add_token_flags(CKF_USER_PIN_FINAL_TRY);
  const unsigned long before = shim_.calls("C_Login");
  const auto token = Token::attach(config_);
  EXPECT_EQ(token->probe().state, TokenState::pin_refused);
  EXPECT_NE(token->probe().why.find("token.pin_final_try"), std::string::npos);
  EXPECT_EQ(shim_.calls("C_Login"), before);
  token->activate();
  EXPECT_EQ(token->probe().state, TokenState::attached);
  EXPECT_EQ(shim_.calls("C_Login"), before + 1);
}

}  // namespace
}  // namespace estia::hsm
