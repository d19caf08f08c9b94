// SPDX-License-Identifier: Apache-2.0
// T15: every return value of PKCS #11, at every call that a signature takes: what is done is what
// the table of hsm/ckr.h says, and the next signature is good.
#include "hsm/ckr.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

/// Those with a name; then numbers that nobody has defined, and vendors'.
std::vector<CK_RV> every_code() {
  std::vector<CK_RV> codes;
  for (CK_RV rv = 1; rv <= 0x210; ++rv) {
    if (!ckr_name(rv).starts_with("CKR_?")) {
      codes.push_back(rv);
    }
  }
  EXPECT_GE(codes.size(), 90U);
  codes.insert(codes.end(), {0x4, 0x20F, CKR_VENDOR_DEFINED, CKR_VENDOR_DEFINED + 7, ~0UL});
  return codes;
}

class ReturnValues : public RecoveryTest {
 protected:
  struct Outcome {
    std::string refusal;
    std::uint64_t new_sessions;
    std::uint64_t logins;
    std::uint64_t restarts;
    bool operator==(const Outcome&) const = default;
  };
  friend void PrintTo(const Outcome& outcome, std::ostream* out) {
    *out << outcome.refusal << ", " << outcome.new_sessions << " new sessions, " << outcome.logins
         << " logins, " << outcome.restarts << " restarts";
  }

  /// What one signature comes to while `function` fails `count` times.
  [[nodiscard]] Outcome outcome(const char* function, CK_RV rv, unsigned long count) {
    const TokenStatus before = token_->probe();
    shim_.fail(function, rv, count);
    std::string refusal = refused();
    shim_.fail(function, CKR_OK, 0);
    const TokenStatus after = token_->probe();
    return {std::move(refusal), after.new_sessions - before.new_sessions,
            after.logins - before.logins, after.restarts - before.restarts};
  }
  [[nodiscard]] static std::string told(CK_RV rv) { return "token " + token_error(rv, "").id(); }
  void expect_well(CK_RV rv) const {
    ASSERT_TRUE(signs_now()) << ckr_name(rv);
    EXPECT_EQ(token_->probe().sessions_in_use, 0U);
  }
};

/// At C_SignInit nothing has been signed yet. It fails twice: in the session, and in a new one.
TEST_F(ReturnValues, AtSignInit) {
  for (const CK_RV rv : every_code()) {
    const Remedy what = remedy(classify(rv));
    const Outcome expected = what == Remedy::refuse           ? Outcome{told(rv), 0, 0, 0}
                             : what == Remedy::new_session    ? Outcome{"none", 1, 1, 0}
                             : what == Remedy::new_login      ? Outcome{"none", 1, 1, 0}
                             : what == Remedy::restart_module ? Outcome{"none", 1, 0, 1}
                                                              : Outcome{told(rv), 1, 0, 0};
    EXPECT_EQ(outcome("C_SignInit", rv, what == Remedy::refuse ? 1 : 2), expected) << ckr_name(rv);
    expect_well(rv);
  }
}

/// At C_Sign a signature may have been made: nothing that tells no more than that is tried again.
TEST_F(ReturnValues, AtSign) {
  for (const CK_RV rv : every_code()) {
    const Remedy what = remedy(classify(rv));
    const Outcome expected = what == Remedy::new_session      ? Outcome{"none", 1, 0, 0}
                             : what == Remedy::new_login      ? Outcome{"none", 0, 1, 0}
                             : what == Remedy::restart_module ? Outcome{"none", 0, 0, 1}
                                                              : Outcome{told(rv), 0, 0, 0};
    EXPECT_EQ(outcome("C_Sign", rv, 1), expected) << ckr_name(rv);
    expect_well(rv);
  }
}

/// At C_OpenSession, of the session that takes a failed one's place.
TEST_F(ReturnValues, AtOpenSession) {
  for (const CK_RV rv : every_code()) {
    const Remedy what = remedy(classify(rv));
    const bool login = what == Remedy::new_session || what == Remedy::new_login;
    const Outcome expected = login                            ? Outcome{"none", 1, 1, 0}
                             : what == Remedy::restart_module ? Outcome{"none", 1, 0, 1}
                                                              : Outcome{told(rv), 1, 0, 0};
    shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID);
    EXPECT_EQ(outcome("C_OpenSession", rv, 1), expected) << ckr_name(rv);
    expect_well(rv);
  }
}

/// At the calls by which a key is found again after a lost login. Some values are answers there
/// ("this attribute is not told"); whatever they are, it ends in a signature or an Error{token}.
TEST_F(ReturnValues, WhileAKeyIsFoundAgain) {
  for (const char* function :
       {"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_GetAttributeValue",
        "C_CopyObject", "C_GetSlotList", "C_GetTokenInfo"}) {
    SCOPED_TRACE(function);
    for (const CK_RV rv : {CKR_SESSION_HANDLE_INVALID, CKR_DEVICE_ERROR, CKR_HOST_MEMORY,
                           CKR_DEVICE_REMOVED, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_GENERAL_ERROR,
                           CKR_OBJECT_HANDLE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID}) {
      shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
      shim_.fail(function, rv);
      const std::string got = refused();
      EXPECT_TRUE(got == "none" || got.starts_with("token token.")) << ckr_name(rv) << " " << got;
      shim_.fail(function, CKR_OK, 0);
      while (refused() != "none") {  // a key that was not found is looked for again after a second
        wait_until(TokenState::attached);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
  }
}

/// At C_Login: a PIN that was compared and refused is not tried again, anything else is.
TEST_F(ReturnValues, AtLogin) {
  for (const CK_RV rv : every_code()) {
    if (rv == CKR_USER_ALREADY_LOGGED_IN) {
      continue;  // an answer: somebody else has done it
    }
    SCOPED_TRACE(ckr_name(rv));
    const bool final = classify(rv) == Fault::pin;
    const unsigned long before = shim_.calls("C_Login");
    shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
    shim_.fail("C_Login", rv);
    EXPECT_EQ(refused(), rv == CKR_PIN_LOCKED ? "token token.pin_locked"
                         : final              ? "token token.pin_refused"
                                              : "none");
    EXPECT_EQ(shim_.calls("C_Login") - before, final ? 1U : 2U);
    if (final) {
      EXPECT_TRUE(std::filesystem::exists(config_.pin_marker));
      token_->activate();
    }
    expect_well(rv);
  }
}

}  // namespace
}  // namespace estia::hsm
