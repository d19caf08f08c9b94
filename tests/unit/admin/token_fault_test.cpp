// SPDX-License-Identifier: Apache-2.0
// `estia token pin` and `cert store` where the token fails or the process dies in the middle: the
// shipped module of faults stands in front of SoftHSM.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/child.h"
#include "tests/e2e/support/installation.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using e2e::Finished;

constexpr const char* kNewPin = "new-canary-6610";

class TokenFault : public testing::Test {
 protected:
  TokenFault() {
    place_.make_ca();
    write_new_file(place_.path("new-pin"), std::string(kNewPin) + "\n", FileMode::secret);
    ::setenv("ESTIA_FAULTS_MODULE", place_.module().c_str(), 1);
    ::setenv("ESTIA_FAULTS_RULES", place_.path("rules").c_str(), 1);
    rules("");
    std::string text = read_file(place_.state() / "estia.toml");
    text.replace(text.find(place_.module()), place_.module().size(), ESTIA_FAULT_MODULE);
    replace_file(place_.state() / "estia.toml", text, FileMode::secret);
  }
  /// For every `estia` from now on.
  void rules(const std::string& orders) const {
    replace_file(place_.path("rules"), orders + "\n", FileMode::secret);
  }
  [[nodiscard]] Finished of_state(const std::vector<std::string>& arguments) const {
    std::vector<std::string> whole{"token"};
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    whole.emplace_back("--state");
    whole.push_back(place_.state().string());
    Finished finished = place_.estia(whole);
    EXPECT_EQ((finished.out + finished.err).find("canary"), std::string::npos)
        << finished.out << finished.err;
    return finished;
  }
  [[nodiscard]] std::vector<std::string> change() const {
    return {"pin", "change", "--new-pin-file", place_.path("new-pin").string()};
  }
  [[nodiscard]] std::vector<std::string> set() const {
    return {"pin",
            "set",
            "--so-pin-file",
            place_.path("so-pin").string(),
            "--new-pin-file",
            place_.path("new-pin").string()};
  }
  [[nodiscard]] bool half_done() const { return std::filesystem::exists(place_.path("pin.next")); }
  [[nodiscard]] std::string pin_file() const { return read_file(place_.path("pin")); }
  /// Goes on after a change whose end nobody knows; the PIN file's PIN must then be the token's.
  void expect_resumed(const std::string& pin) const {
    EXPECT_TRUE(half_done());
    EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
    rules("");
    const Finished resumed = of_state({"pin", "resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_FALSE(half_done());
    EXPECT_EQ(pin_file(), pin + "\n");
    place_.tool({"pkcs11-tool", "--module", place_.module(), "--token-label", Workplace::kLabel,
                 "--login", "--pin", pin, "-O"});
  }
  static void expect_refused(const Finished& finished, const std::string& id) {
    EXPECT_EQ(finished.code, 1) << finished.out << finished.err;
    EXPECT_NE(finished.err.find("[" + id + "]"), std::string::npos) << finished.err;
  }

  const Workplace place_;
};

TEST_F(TokenFault, AnAnswerThatWasLostBehindTheChangeLosesNoPin) {
  rules("fail C_SetPIN CKR_DEVICE_ERROR when=after");
  const Finished lost = of_state(change());
  expect_refused(lost, "token.pin_unknown");
  EXPECT_NE(lost.err.find("pin resume"), std::string::npos) << lost.err;
  expect_resumed(kNewPin);
}

TEST_F(TokenFault, AnAnswerThatWasLostBeforeTheChangeLosesNoPin) {
  rules("fail C_SetPIN CKR_DEVICE_ERROR when=before");
  expect_refused(of_state(change()), "token.pin_unknown");
  expect_resumed(Workplace::kPin);
}

TEST_F(TokenFault, TheSecurityOfficersOrderIsTakenUpLikewise) {
  rules("fail C_InitPIN CKR_FUNCTION_FAILED when=after");
  expect_refused(of_state(set()), "token.pin_unknown");
  expect_resumed(kNewPin);
}

/// kill -9 between the token's change and the file's: libp11 lets the module go in between. Not
/// inside C_SetPIN, where SoftHSM itself would lose the token.
TEST_F(TokenFault, ADeathBetweenTokenAndFileLosesNoPin) {
  rules("hang C_Finalize");
  const std::string socket = place_.path("orders").string();
  const std::vector<std::string> arguments{e2e::program("estia"),
                                           "token",
                                           "pin",
                                           "change",
                                           "--new-pin-file",
                                           place_.path("new-pin").string(),
                                           "--state",
                                           place_.state().string()};
  {
    e2e::Child dying({.arguments = arguments,
                      .environment = {"SOFTHSM2_CONF=" + place_.path("softhsm2.conf").string(),
                                      "ESTIA_FAULTS_SOCKET=" + socket},
                      .out = place_.path("dying.out"),
                      .err = place_.path("dying.err")});
    while (!std::filesystem::exists(socket)) {
      ASSERT_FALSE(dying.wait(std::chrono::milliseconds(20)).has_value())
          << read_file(place_.path("dying.err"));
    }
    ::setenv("ESTIA_FAULTS_SOCKET", socket.c_str(), 1);
    place_.tool({ESTIA_FAULT_TOOL, "wait", "C_Finalize", "1"});
    ::unsetenv("ESTIA_FAULTS_SOCKET");
    dying.signal(SIGKILL);
    EXPECT_EQ(dying.wait(std::chrono::minutes(1)), -SIGKILL);
  }
  expect_resumed(kNewPin);
}

TEST_F(TokenFault, APinThatTheTokenDoesNotTakeChangesNothing) {
  rules("fail C_SetPIN CKR_PIN_LEN_RANGE");
  expect_refused(of_state(change()), "token.pin");
  rules("fail C_InitPIN CKR_PIN_INVALID");
  expect_refused(of_state(set()), "token.pin");
  EXPECT_FALSE(half_done());
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
}

/// Found in review: NSS wants a login before C_SetPIN, and its answer was "not known whether".
TEST_F(TokenFault, APinIsChangedWithALoginWhereTheTokenWantsOne) {
  rules("fail C_SetPIN CKR_USER_NOT_LOGGED_IN");
  const Finished changed = of_state(change());
  EXPECT_EQ(changed.code, 0) << changed.err;
  EXPECT_EQ(pin_file(), std::string(kNewPin) + "\n");
  rules("");
  EXPECT_EQ(of_state({"cert", "list", "--pin-file", place_.path("pin").string()}).code, 0);
}

/// Found in review: these said "not known whether the token has the new PIN", and left two files.
TEST_F(TokenFault, WhatTheTokenDoesNotDoAtAllChangesNothing) {
  rules("fail C_SetPIN CKR_USER_NOT_LOGGED_IN count=for-ever");
  expect_refused(of_state(change()), "token.login_lost");
  rules("fail C_SetPIN CKR_FUNCTION_NOT_SUPPORTED");
  expect_refused(of_state(change()), "token.unsupported");
  rules("fail C_InitPIN CKR_USER_TYPE_INVALID");
  expect_refused(of_state(set()), "token.unsupported");
  EXPECT_FALSE(half_done());
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
}

/// With the old PIN or the new one: a PIN that locks is no word on which one it is.
TEST_F(TokenFault, ResumeKeepsBothFilesWhereTheTokenDoesNotSay) {
  rules("fail C_SetPIN CKR_DEVICE_ERROR when=after");
  expect_refused(of_state(change()), "token.pin_unknown");
  rules("fail C_Login CKR_PIN_LOCKED");
  const Finished locked = of_state({"pin", "resume"});
  expect_refused(locked, "token.pin_locked");
  rules("fail C_Login CKR_DEVICE_REMOVED");
  expect_refused(of_state({"pin", "resume"}), "token.gone");
  expect_resumed(kNewPin);
}

/// Found in review: what reads the keys wanted a second session, and the token has one.
TEST_F(TokenFault, CertificatesAreKeptWithTheirKeysByATokenOfOneSession) {
  rules("session-cap 1 told");
  const std::string bundle = (place_.state() / "ca-bundle.pem").string();
  const Finished stored = of_state({"cert", "store", "--file", bundle});
  EXPECT_EQ(stored.code, 0) << stored.err;
  EXPECT_NE(stored.out.find("key=in the token"), std::string::npos) << stored.out;
  const Finished listed = of_state({"cert", "list", "--pin-file", place_.path("pin").string()});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_NE(listed.out.find("key=in the token"), std::string::npos) << listed.out;
  EXPECT_EQ(of_state({"cert", "list"}).out, listed.out);
}

TEST_F(TokenFault, OfCertificatesThatTheTokenDoesNotTakeNoneIsLeft) {
  rules("fail C_CreateObject CKR_DEVICE_MEMORY skip=1");
  const Finished stored =
      of_state({"cert", "store", "--file", (place_.state() / "ca-bundle.pem").string()});
  expect_refused(stored, "token.cert_store");
  EXPECT_NE(stored.err.find("nothing was stored"), std::string::npos) << stored.err;
  rules("");
  EXPECT_EQ(of_state({"cert", "list"}).out, "");
}

}  // namespace
}  // namespace estia::test
