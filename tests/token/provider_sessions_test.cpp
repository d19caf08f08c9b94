// SPDX-License-Identifier: Apache-2.0
// Of a token's sessions pkcs11-provider needs some of its own.
#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
#include <future>
#include <vector>

#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using std::chrono_literals::operator""s;
using test::refusal;

class SessionsOfTwo : public ShimTest {
 protected:
  SessionsOfTwo() {
    config_ = config();
    config_.signing = Signing::pkcs11_provider;
    config_.session_wait = config_.recovery_wait = 60s;
  }
  TokenConfig config_;
};

/// Found in review: pkcs11-provider found no session, and a request that wanted one took half a
/// minute.
TEST_F(SessionsOfTwo, TooFewAreRefusedAtTheStart) {
  shim_.limit_sessions(3, true);
  EXPECT_EQ(refusal([&] { static_cast<void>(Token::open(config_)); }),
            "config token.signing_sessions");
  EXPECT_EQ(refusal([&] { static_cast<void>(Token::attach(config_)); }),
            "config token.signing_sessions");
  EXPECT_EQ(shim_.calls("C_Login"), 0U);
}

TEST_F(SessionsOfTwo, FourAreEnough) {
  shim_.limit_sessions(4, true);
  const auto token = Token::open(config_);
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  std::vector<std::future<bool>> signing;
  for (int i = 0; i < 4; ++i) {
    signing.push_back(std::async(std::launch::async, [&] { return signs(key); }));
  }
  for (auto& each : signing) {
    EXPECT_TRUE(each.get());
  }
}

/// Found in review: the request took half a minute, and then the token was taken for one that
/// hangs.
TEST_F(SessionsOfTwo, TooFewThatTheTokenDoesNotTellOfMakeItBusy) {
  static_cast<void>(open_shim()->generate(spec("P-256"), "ca"));
  const auto token = Token::open(config_);
  const KeyUri ca = KeyUri::parse("pkcs11:object=ca");
  for (const unsigned long limit : {2UL, 3UL}) {
    shim_.limit_sessions(limit, false);
    const unsigned long asked = shim_.calls("C_OpenSession");
    EXPECT_EQ(refusal([&] { static_cast<void>(signs(token->key(ca))); }),
              "busy token.sessions_exhausted");
    EXPECT_LT(shim_.calls("C_OpenSession"), asked + 10) << "it asks again and again";
    EXPECT_EQ(token->probe().state, TokenState::attached);
  }
  shim_.limit_sessions(4, false);
  EXPECT_TRUE(signs(token->key(ca)));
}

/// One in which a signature failed is closed: it was kept, and took the module's restart.
TEST_F(SessionsOfTwo, NoneStaysOpenAfterAFault) {
  const auto token = Token::open(config_);
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  EXPECT_TRUE(signs(key));
  shim_.limit_sessions(4, false);
  for (int i = 0; i < 5; ++i) {
    shim_.fail("C_Sign", CKR_FUNCTION_FAILED);
    EXPECT_TRUE(signs(key));
  }
  EXPECT_EQ(token->probe().restarts, 0U);
}

}  // namespace
}  // namespace estia::hsm
#endif
