// SPDX-License-Identifier: Apache-2.0
// The token is found by its names, and its PIN is tried once.
#include <stdlib.h>

#include "crypto/base/file.h"
#include "crypto/base/random.h"
#include "tests/hsm/suite.h"
#include "tests/support/scratch_directory.h"

namespace estia::hsm {
namespace {

class Login : public Suite {
 protected:
  /// So far; 0 where nobody counts.
  [[nodiscard]] unsigned long logins() const {
    return module().shim() == nullptr ? 0 : module().shim()->calls("C_Login");
  }
};

/// Whoever signs: pkcs11-provider uses our login, and is never told the PIN.
TEST_P(Login, HappensOnce) {
  static_cast<void>(make(usual()));
  close_token();
  const unsigned long before = logins();
  const crypto::PrivateKey key = token().key(uri(label(usual())));
  EXPECT_TRUE(signs(key));
  EXPECT_TRUE(signs(key));
  const TokenStatus status = token().probe();
  EXPECT_TRUE(status.present);
  EXPECT_TRUE(status.logged_in);
  EXPECT_EQ(status.label, config().label);
  if (module().shim() != nullptr) {
    EXPECT_EQ(logins(), before + 1);
  }
}

/// pkcs11-provider would sign with the keys of another module.
TEST_P(Login, IsRefusedWhereTheEnvironmentNamesAnotherModule) {
  ASSERT_EQ(::setenv("PKCS11_PROVIDER_MODULE", "/nowhere/another.so", 1), 0);
  const std::string refused = test::refusal([&] { static_cast<void>(Token::open(config())); });
  EXPECT_EQ(refused, native() ? "none" : "config token.signing_unavailable");
  ASSERT_EQ(::unsetenv("PKCS11_PROVIDER_MODULE"), 0);
}

TEST_P(Login, FindsTheTokenBySerialNumber) {
  const std::string serial = token().probe().serial;
  close_token();  // it has a session, which may be the only one
  TokenConfig named = config();
  named.serial = serial;
  EXPECT_TRUE(Token::open(named)->probe().logged_in);
  named.serial = "no such number";
  EXPECT_EQ(test::refusal([&] { static_cast<void>(Token::open(named)); }), "token token.not_found");
}

TEST_P(Login, AWrongPinIsTriedOnce) {
  need("wrong-pin", [&] {
    const test::ScratchDirectory scratch;
    TokenConfig wrong = config();
    wrong.pin.file = scratch.path() / "pin";
    wrong.pin_marker.clear();  // which would keep the right one from being tried
    write_new_file(wrong.pin.file, random_text(64) + "\n", FileMode::secret);
    const unsigned long before = module().shim() == nullptr ? 0 : module().shim()->calls("C_Login");
    EXPECT_EQ(test::refusal([&] { static_cast<void>(Token::open(wrong)); }),
              "token token.pin_incorrect");
    if (module().shim() != nullptr) {
      EXPECT_EQ(logins(), before + 1);
    }
    EXPECT_TRUE(token().probe().logged_in) << "the right one still works";
  });
}

ESTIA_EVERY_CELL(Login);

}  // namespace
}  // namespace estia::hsm
