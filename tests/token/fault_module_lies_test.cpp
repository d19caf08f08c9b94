// SPDX-License-Identifier: Apache-2.0
// Signatures that are wrong, and sessions that are too many.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/token/fault_module_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class FaultLies : public FaultModuleTest {
 protected:
  [[nodiscard]] static std::string hex_id(const KeyUri& uri) {
    std::ostringstream text;
    for (const unsigned byte : uri.id()) {
      text << "0123456789abcdef"[byte >> 4U] << "0123456789abcdef"[byte & 15U];
    }
    return text.str();
  }
  /// Opens sessions until one is refused, and says how many that were.
  [[nodiscard]] static std::vector<CK_SESSION_HANDLE> open_all(CK_RV& refused) {
    std::vector<CK_SESSION_HANDLE> sessions;
    for (;;) {
      CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
      refused = p11().C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session);
      if (refused != CKR_OK || sessions.size() > 100) {
        return sessions;
      }
      sessions.push_back(session);
    }
  }
};

TEST_F(FaultLies, ACorruptSignatureDoesNotVerify) {
  const auto token = open_faulty();
  for (const char* kind : {"P-256", "RSA-2048", "Ed25519"}) {
    const crypto::PrivateKey key = token->generate(spec(kind), kind);
    ASSERT_TRUE(signs(key)) << kind;
    order("corrupt-signature count=1");
    EXPECT_FALSE(signs(key)) << kind;
    EXPECT_TRUE(signs(key)) << kind;
  }
}

TEST_F(FaultLies, EverySecondSignatureMayBeCorrupt) {
  const auto token = open_faulty();
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  order("corrupt-signature every=2");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(signs(key));
    EXPECT_FALSE(signs(key));
  }
}

TEST_F(FaultLies, AnotherKeySigns) {
  const auto token = open_faulty();
  const crypto::PrivateKey right = token->generate(spec("P-256"), "right");
  const crypto::PrivateKey wrong = token->generate(spec("P-256"), "the wrong one");
  for (const std::string& name :
       {std::string("\"label=the wrong one\""), "id=" + hex_id(token->uri_of("the wrong one"))}) {
    order("sign-with-other " + name + " count=2");
    EXPECT_TRUE(signs(right, &wrong)) << name;
    EXPECT_FALSE(signs(right)) << name;
    EXPECT_TRUE(signs(right)) << name;
  }
}

TEST_F(FaultLies, AnotherKeyThatIsNotThereFailsTheCall) {
  const auto token = open_faulty();
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  order("sign-with-other label=nobody");
  EXPECT_EQ(refusal([&] { static_cast<void>(signs(key)); }), "token token.failed");
  order("clear C_SignInit");
  EXPECT_TRUE(signs(key));
}

TEST_F(FaultLies, SessionsBeyondTheCapAreRefused) {
  const CK_SESSION_HANDLE first = open_session();
  order("session-cap 3");
  CK_RV refused = CKR_OK;
  const auto sessions = open_all(refused);
  EXPECT_EQ(sessions.size(), 2U);
  EXPECT_EQ(refused, CKR_SESSION_COUNT);
  /// Found in review: it said faults=0.
  EXPECT_TRUE(counts("C_OpenSession", "faults=1"));
  EXPECT_EQ(p11().C_CloseSession(first), CKR_OK);
  EXPECT_EQ(open_all(refused).size(), 1U) << "a place is free again";
  order("session-cap none");
  static_cast<void>(open_session());
  order("session-cap 0");
  EXPECT_TRUE(open_all(refused).empty());
  order("clear C_OpenSession");
  static_cast<void>(open_session());
}

TEST_F(FaultLies, ACapThatIsToldLowersTheCapOfThePool) {
  start_with("session-cap 4 told\n");
  const auto token = open_faulty();
  EXPECT_EQ(token->probe().sessions_cap, 3U) << "one is taken by the login";
  EXPECT_NE(order("status").find("rule session-cap 4 told\n"), std::string::npos);
}

TEST_F(FaultLies, ACapThatIsNotToldStaysUnknown) {
  start_with("session-cap 4\n");
  EXPECT_EQ(open_faulty()->probe().sessions_cap, 64U);
}

}  // namespace
}  // namespace estia::hsm
