// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "crypto/keys/key_spec.h"
#include "hsm/token.h"
#include "tests/support/refusal.h"
#include "tests/support/token_fixture.h"

namespace estia::hsm {

/// A new SoftHSM token per test; ctest runs each test in a process of its own.
class TokenTest : public ::testing::Test {
 protected:
  TokenTest() {
    ::signal(SIGPIPE, SIG_IGN);  // as the daemon does
    dir_.use();
  }

  [[nodiscard]] std::shared_ptr<Token> open() const { return Token::open(dir_.config()); }

  test::TokenDir dir_ = test::make_token();
};

[[nodiscard]] inline crypto::KeySpec spec(const std::string& name) {
  return crypto::KeySpec::parse(name);
}

}  // namespace estia::hsm
