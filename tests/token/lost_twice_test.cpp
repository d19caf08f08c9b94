// SPDX-License-Identifier: Apache-2.0
// A token that is lost again while a request is being helped from the first loss.
#include <future>

#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

class LostTwice : public RecoveryTest {
 protected:
  explicit LostTwice(Signing signing = Signing::native)
      : RecoveryTest(std::chrono::seconds(60), {.signing = signing}) {
    EXPECT_TRUE(signs_now());
  }

  /// `lose` is what somebody else does: before a request, and again when that looks for its key
  /// after the next login.
  void expect_no_rest_after(const std::function<CK_RV()>& lose) {
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(lose(), CKR_OK);
      shim_.close_gate("C_FindObjectsInit");
      auto request = std::async(std::launch::async, [&] { return refused(); });
      shim_.wait_in_flight("C_FindObjectsInit", 1);
      EXPECT_EQ(lose(), CKR_OK);
      shim_.open_gate("C_FindObjectsInit");
      EXPECT_EQ(request.get().rfind("token token.", 0), 0U) << "it was not lost twice";
      ASSERT_EQ(refused(), "none") << "the next one's loss is its first";
    }
    EXPECT_EQ(events().find("key_refused"), std::string::npos) << events();
  }
};

/// Found in review: the key rested for a second, and everybody was told 503.
TEST_F(LostTwice, ItsSessionsCostOneRequest) {
  expect_no_rest_after([&] { return other().C_CloseAllSessions(slot()); });
}

TEST_F(LostTwice, ItsLoginCostsOneRequest) {
  expect_no_rest_after([&] {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    EXPECT_EQ(other().C_OpenSession(slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              CKR_OK);
    const CK_RV rv = other().C_Logout(session);
    EXPECT_EQ(other().C_CloseSession(session), CKR_OK);
    return rv;
  });
}

TEST_F(LostTwice, ItsStateCostsOneRequest) {
  expect_no_rest_after([&] { return other().C_Finalize(nullptr); });
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class LostTwiceByProvider : public LostTwice {
 protected:
  LostTwiceByProvider() : LostTwice(Signing::pkcs11_provider) {}
};

TEST_F(LostTwiceByProvider, ItsSessionsCostOneRequest) {
  expect_no_rest_after([&] { return other().C_CloseAllSessions(slot()); });
}
#endif

}  // namespace
}  // namespace estia::hsm
