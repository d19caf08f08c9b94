// SPDX-License-Identifier: Apache-2.0
// PINs that are typed: asked twice where they are new, shown nowhere, in no argument list.
#include <gtest/gtest.h>

#include "tests/e2e/support/installation.h"
#include "tests/unit/admin/terminal.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

constexpr const char* kNewPin = "new-canary-6610";
constexpr const char* kOld = "user's PIN: ";
constexpr const char* kNew = "new user's PIN: ";
constexpr const char* kAgain = "new user's PIN again: ";

class TokenPrompt : public testing::Test {
 protected:
  TokenPrompt() { EXPECT_EQ(place_.token_init(Workplace::kLabel).code, 0); }

  [[nodiscard]] std::vector<std::string> change() const {
    return {e2e::program("estia"), "token", "pin", "change", "--module", place_.module(), "--token",
            Workplace::kLabel};
  }
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"SOFTHSM2_CONF=" + place_.path("softhsm2.conf").string()};
  }
  [[nodiscard]] bool logs_in(const std::string& pin) const {
    try {
      place_.tool({"pkcs11-tool", "--module", place_.module(), "--token-label", Workplace::kLabel,
                   "--login", "--pin", pin, "-O"});
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  static void expect_nothing_shown(const Terminal& terminal) {
    for (const char* secret : {Workplace::kPin, kNewPin, "typing-error"}) {
      EXPECT_EQ(terminal.shown().find(secret), std::string::npos) << terminal.shown();
    }
  }

  const Workplace place_;
};

TEST_F(TokenPrompt, AsksUnseenAndTwiceForTheNewOne) {
  Terminal terminal(change(), environment());
  terminal.answer(kOld, std::string(Workplace::kPin) + "\r");
  // ^U takes the line back, and backspace the last character.
  terminal.answer(kNew, std::string("typing-error\x15") + kNewPin + "x\x7f\r");
  const std::string seen = terminal.command_line();
  EXPECT_NE(seen.find("change"), std::string::npos) << "the program runs";
  EXPECT_EQ(seen.find(Workplace::kPin), std::string::npos) << seen;
  EXPECT_EQ(seen.find(kNewPin), std::string::npos) << seen;
  terminal.answer(kAgain, std::string(kNewPin) + "\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  expect_nothing_shown(terminal);
  EXPECT_TRUE(logs_in(kNewPin));
}

TEST_F(TokenPrompt, TwoThatDifferChangeNothing) {
  Terminal terminal(change(), environment());
  terminal.answer(kOld, std::string(Workplace::kPin) + "\r");
  terminal.answer(kNew, std::string(kNewPin) + "\r");
  terminal.answer(kAgain, "typing-error\r");
  EXPECT_EQ(terminal.wait(), 1) << terminal.shown();
  EXPECT_NE(terminal.shown().find("the two PINs differ"), std::string::npos) << terminal.shown();
  expect_nothing_shown(terminal);
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPrompt, ControlCEndsItAndChangesNothing) {
  for (const char* key : {"\x03", "\x04"}) {
    Terminal terminal(change(), environment());
    terminal.answer(kOld, std::string(Workplace::kPin) + "\r");
    terminal.answer(kNew, std::string(kNewPin) + key);
    EXPECT_EQ(terminal.wait(), 1) << terminal.shown();
    EXPECT_NE(terminal.shown().find("[cli.declined]"), std::string::npos) << terminal.shown();
    expect_nothing_shown(terminal);
  }
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPrompt, MoreThanAPinCanHaveIsRefused) {
  Terminal terminal(change(), environment());
  terminal.answer(kOld, std::string(256, 'x') + "\r");
  EXPECT_EQ(terminal.wait(), 1) << terminal.shown();
  EXPECT_NE(terminal.shown().find("[token.pin]"), std::string::npos) << terminal.shown();
}

TEST_F(TokenPrompt, InitAsksForBothPins) {
  Terminal terminal(
      {e2e::program("estia"), "token", "init", "--module", place_.module(), "--label", "second"},
      environment());
  terminal.answer("new security officer's PIN: ", std::string(Workplace::kSoPin) + "\r");
  terminal.answer("new security officer's PIN again: ", std::string(Workplace::kSoPin) + "\r");
  terminal.answer(kNew, std::string(kNewPin) + "\r");
  terminal.answer(kAgain, std::string(kNewPin) + "\r");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_NE(terminal.shown().find("token second is initialised"), std::string::npos)
      << terminal.shown();
  expect_nothing_shown(terminal);
}

/// Whoever is asked and does not say yes has lost nothing.
TEST_F(TokenPrompt, ErasingIsAskedFor) {
  const std::string listed = place_.estia({"token", "list", "--module", place_.module()}).out;
  const std::size_t at = listed.find("\tserial=", listed.find("ready\t")) + 8;
  const std::string serial = listed.substr(at, listed.find('\t', at) - at);
  const std::vector<std::string> erase{e2e::program("estia"),
                                       "token",
                                       "init",
                                       "--module",
                                       place_.module(),
                                       "--label",
                                       "renewed",
                                       "--erase",
                                       serial,
                                       "--so-pin-file",
                                       place_.path("so-pin").string(),
                                       "--pin-file",
                                       place_.path("pin").string()};
  {
    Terminal terminal(erase, environment());
    terminal.answer("with every key and certificate in it, for ever? [y/N] ", "n\n");
    EXPECT_EQ(terminal.wait(), 1) << terminal.shown();
    EXPECT_NE(terminal.shown().find("[cli.declined]"), std::string::npos) << terminal.shown();
  }
  EXPECT_TRUE(logs_in(Workplace::kPin)) << "the token is as it was";
  Terminal terminal(erase, environment());
  terminal.answer("[y/N] ", "y\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_NE(terminal.shown().find("token renewed is initialised"), std::string::npos)
      << terminal.shown();
  EXPECT_FALSE(logs_in(Workplace::kPin)) << "its label is another";
  EXPECT_EQ(place_.token_count(), 1U);
}

}  // namespace
}  // namespace estia::test
