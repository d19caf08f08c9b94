// SPDX-License-Identifier: Apache-2.0
// A TLS key whose signatures are wrong, by the shipped module.
#include "tests/support/refusal.h"
#include "tests/token/fault_module_test_base.h"

namespace estia::hsm {
namespace {

class WrongSignatures : public FaultModuleTest {
 protected:
  [[nodiscard]] KeyReport report() const { return token_->keys().at(0); }
  [[nodiscard]] std::string refused() const {
    return test::refusal([&] { static_cast<void>(signs(key_)); });
  }
  void wait_refused(const std::string& id) const {
    while (!report().refused || report().why.rfind(id, 0) != 0) {
      static_cast<void>(refused());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void wait_well() const {
    while (refused() != "none") {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(report().ready);
    EXPECT_FALSE(report().refused);
  }
  static crypto::PrivateKey make(Token& token) {
    static_cast<void>(token.generate(spec("P-256"), "tls"));
    return token.key(token.uri_of("tls"), SignatureCheck::ours);
  }

  const std::shared_ptr<Token> token_ = open_faulty();
  const crypto::PrivateKey key_ = make(*token_);
};

TEST_F(WrongSignatures, AKeyThatCannotProveItselfIsRefused) {
  order("corrupt-signature");
  EXPECT_EQ(refused(), "token token.wrong_signature");
  wait_refused("token.key_mismatch");
  order("clear");
  wait_well();
}

/// Found in review: it was looked for again after each, and counted as well for ever.
TEST_F(WrongSignatures, AKeyThatProvesItselfAndSignsWronglyIsRefused) {
  order("corrupt-signature every=2");  // its proofs are right
  wait_refused("token.wrong_signature");
  EXPECT_EQ(refused(), "token token.wrong_signature");
  order("clear");
  wait_well();
}

TEST_F(WrongSignatures, OneAmongRightOnesChangesNothing) {
  for (int i = 0; i < 5; ++i) {
    order("corrupt-signature count=1");
    EXPECT_EQ(refused(), "token token.wrong_signature");
    wait_well();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

}  // namespace
}  // namespace estia::hsm
