// SPDX-License-Identifier: Apache-2.0
// `estia token pin` on a real SoftHSM: what the token takes, what it refuses, and which file has
// the PIN wherever a change ends.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/base/file.h"
#include "server/provision/state_layout.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using e2e::Finished;

constexpr const char* kNewPin = "new-canary-6610";
constexpr const char* kNewSoPin = "new-so-canary-44";

class TokenPin : public testing::Test {
 protected:
  TokenPin() {
    EXPECT_EQ(place_.token_init(Workplace::kLabel).code, 0);
    write_new_file(place_.path("new-pin"), std::string(kNewPin) + "\n", FileMode::secret);
    write_new_file(place_.path("new-so-pin"), std::string(kNewSoPin) + "\n", FileMode::secret);
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return place_.path(name).string();
  }
  /// `estia token pin ARGUMENTS...` for the token of the module.
  [[nodiscard]] Finished pin(const std::vector<std::string>& arguments) const {
    std::vector<std::string> whole{"token", "pin"};
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    for (const std::string& word : {std::string("--module"), place_.module(),
                                    std::string("--token"), std::string(Workplace::kLabel)}) {
      whole.push_back(word);
    }
    return kept(place_.estia(whole));
  }
  [[nodiscard]] Finished change(const std::string& old_pin, const std::string& new_pin) const {
    return pin({"change", "--pin-file", file(old_pin), "--new-pin-file", file(new_pin)});
  }
  /// No PIN is ever told.
  static Finished kept(Finished finished) {
    for (const char* secret : {Workplace::kPin, Workplace::kSoPin, kNewPin, kNewSoPin}) {
      EXPECT_EQ((finished.out + finished.err).find(secret), std::string::npos)
          << finished.out << finished.err;
    }
    return finished;
  }
  [[nodiscard]] bool logs_in(const std::string& secret, const char* who = "--pin") const {
    std::vector<std::string> arguments{"pkcs11-tool",   "--module",        place_.module(),
                                       "--token-label", Workplace::kLabel, "--login"};
    if (std::string(who) == "--so-pin") {
      arguments.insert(arguments.end(), {"--login-type", "so"});
    }
    arguments.insert(arguments.end(), {who, secret, "-O"});
    try {
      place_.tool(arguments);
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  void expect_refused(const Finished& finished, const std::string& id) const {
    EXPECT_EQ(finished.code, 1) << finished.out << finished.err;
    EXPECT_NE(finished.err.find("[" + id + "]"), std::string::npos) << finished.err;
    EXPECT_EQ(finished.out, "");
  }

  const Workplace place_;
};

TEST_F(TokenPin, TheUserChangesThePin) {
  const Finished changed = change("pin", "new-pin");
  ASSERT_EQ(changed.code, 0) << changed.err;
  EXPECT_NE(changed.out.find("the token has a new user PIN\ngive it to estiad where"),
            std::string::npos)
      << changed.out;
  EXPECT_TRUE(logs_in(kNewPin));
  EXPECT_FALSE(logs_in(Workplace::kPin));
}

TEST_F(TokenPin, TheSecurityOfficerChangesTheOwnPinAndSetsTheUsers) {
  const Finished changed =
      pin({"change", "--so", "--pin-file", file("so-pin"), "--new-pin-file", file("new-so-pin")});
  ASSERT_EQ(changed.code, 0) << changed.err;
  EXPECT_EQ(changed.out, "the token has a new security officer's PIN\n");
  expect_refused(pin({"set", "--so-pin-file", file("so-pin"), "--new-pin-file", file("new-pin")}),
                 "token.pin_incorrect");
  EXPECT_TRUE(logs_in(Workplace::kPin));
  const Finished set =
      pin({"set", "--so-pin-file", file("new-so-pin"), "--new-pin-file", file("new-pin")});
  ASSERT_EQ(set.code, 0) << set.err;
  EXPECT_TRUE(logs_in(kNewPin));
  EXPECT_FALSE(logs_in(Workplace::kPin));
}

TEST_F(TokenPin, AWrongPinIsTriedOnceAndTheTokensFlagsAreTold) {
  const Finished wrong = change("new-so-pin", "new-pin");
  expect_refused(wrong, "token.pin_incorrect");
  EXPECT_NE(wrong.err.find("fewer attempts are left"), std::string::npos) << wrong.err;
  const Finished listed = place_.estia({"token", "list", "--module", place_.module()});
  EXPECT_NE(listed.out.find("flags=user PIN count low"), std::string::npos) << listed.out;
  EXPECT_TRUE(logs_in(Workplace::kPin));
  EXPECT_FALSE(logs_in(kNewPin));
}

TEST_F(TokenPin, WhatIsNoPinIsRefusedBeforeTheTokenIsAsked) {
  expect_refused(change("pin", "pin"), "token.pin");
  replace_file(place_.path("new-pin"), "123\n", FileMode::secret);
  expect_refused(change("pin", "new-pin"), "token.pin");
  replace_file(place_.path("new-pin"), std::string(256, 'x') + "\n", FileMode::secret);
  expect_refused(change("pin", "new-pin"), "token.pin");
  expect_refused(pin({"set", "--so-pin-file", file("so-pin"), "--new-pin-file", file("so-pin")}),
                 "token.pin");
  ASSERT_EQ(::chmod(file("pin").c_str(), 0640), 0);
  expect_refused(change("pin", "new-so-pin"), "file.secret_mode");
  ASSERT_EQ(::chmod(file("pin").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(file("new-so-pin").c_str(), 0604), 0);
  expect_refused(change("pin", "new-so-pin"), "file.secret_mode");
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPin, WithoutATerminalFilesAreNeeded) {
  const Finished asked = pin({"change", "--pin-file", file("pin")});
  EXPECT_EQ(asked.code, 2) << asked.err;
  EXPECT_NE(asked.err.find("--new-pin-file"), std::string::npos) << asked.err;
  EXPECT_EQ(pin({"set", "--new-pin-file", file("new-pin")}).code, 2);
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPin, AnotherTokenOrNoneIsRefused) {
  const auto of = [&](const std::vector<std::string>& which) {
    std::vector<std::string> arguments{
        "token", "pin", "change", "--pin-file", file("pin"), "--new-pin-file", file("new-pin")};
    arguments.insert(arguments.end(), which.begin(), which.end());
    return kept(place_.estia(arguments));
  };
  expect_refused(of({"--module", place_.module(), "--token", "other"}), "token.not_found");
  expect_refused(of({"--module", place_.module(), "--token-serial", "00"}), "token.not_found");
  EXPECT_EQ(of({"--module", place_.module()}).code, 2);
  EXPECT_EQ(of({"--token", Workplace::kLabel}).code, 2);
  EXPECT_EQ(of({"--state", file("state"), "--module", place_.module()}).code, 2);
  EXPECT_EQ(of({}).code, 2);
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

/// The same with a state directory, whose PIN file follows.
class TokenPinOfState : public TokenPin {
 protected:
  TokenPinOfState() {
    const Finished made = place_.init(Workplace::kLabel);
    EXPECT_EQ(made.code, 0) << made.err;
  }
  [[nodiscard]] Finished of_state(const std::vector<std::string>& arguments) const {
    std::vector<std::string> whole{"token", "pin"};
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    whole.emplace_back("--state");
    whole.push_back(place_.state().string());
    return kept(place_.estia(whole));
  }
  [[nodiscard]] std::string pin_file() const { return read_file(place_.path("pin")); }
  [[nodiscard]] std::filesystem::path next() const { return place_.path("pin.next"); }
  /// In the process configuration.
  void replace_pin_file_by(const std::string& line) const {
    std::string text = read_file(place_.state() / "estia.toml");
    const std::size_t at = text.find("pin_file");
    text.replace(at, text.find('\n', at) - at, line);
    replace_file(place_.state() / "estia.toml", text, FileMode::secret);
  }
  /// As if a change had ended after the token's part of it, or before.
  void leave_half_done(bool token_changed) const {
    write_new_file(next(), std::string(kNewPin) + "\n", FileMode::secret);
    if (token_changed) {
      place_.tool({"pkcs11-tool", "--module", place_.module(), "--token-label", Workplace::kLabel,
                   "--login", "--pin", Workplace::kPin, "--change-pin", "--new-pin", kNewPin});
    }
  }
};

TEST_F(TokenPinOfState, ThePinFileFollowsTheToken) {
  write_new_file(place_.state() / "token-pin-refused", "not to be read\n", FileMode::secret);
  expect_refused(of_state({"change", "--new-pin-file", file("new-pin")}), "token.pin_refused");
  const Finished changed =
      of_state({"change", "--pin-file", file("pin"), "--new-pin-file", file("new-pin")});
  ASSERT_EQ(changed.code, 0) << changed.err;
  EXPECT_NE(changed.out.find(file("pin") + " has the new PIN\n"), std::string::npos) << changed.out;
  EXPECT_EQ(pin_file(), std::string(kNewPin) + "\n");
  struct stat status {};
  ASSERT_EQ(::stat(file("pin").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(next()));
  EXPECT_FALSE(std::filesystem::exists(place_.state() / "token-pin-refused")) << "it is another";
  EXPECT_TRUE(logs_in(kNewPin));
  const Finished set =
      of_state({"set", "--so-pin-file", file("so-pin"), "--new-pin-file", file("new-so-pin")});
  ASSERT_EQ(set.code, 0) << set.err;
  EXPECT_EQ(pin_file(), std::string(kNewSoPin) + "\n");
  EXPECT_TRUE(logs_in(kNewSoPin));
}

/// Found in review: it was said that the token had refused the PIN, and it was another one.
TEST_F(TokenPinOfState, WhatAnotherTokenOfThatLabelRefusedIsNoHindrance) {
  write_new_file(place_.state() / "token-pin-refused", "serial x\nat y\n", FileMode::secret);
  const Finished changed = of_state({"change", "--new-pin-file", file("new-pin")});
  EXPECT_EQ(changed.code, 0) << changed.err;
  EXPECT_TRUE(logs_in(kNewPin));
}

/// Found in review: estiad made the second attempt with the same PIN.
TEST_F(TokenPinOfState, ARefusedPinOfTheStateIsNotedForEstiad) {
  const auto marker = place_.state() / "token-pin-refused";
  expect_refused(
      of_state({"change", "--pin-file", file("new-so-pin"), "--new-pin-file", file("new-pin")}),
      "token.pin_incorrect");
  EXPECT_FALSE(std::filesystem::exists(marker)) << "it is not the one that estiad reads";
  replace_file(place_.path("pin"), std::string(kNewSoPin) + "\n", FileMode::secret);
  expect_refused(of_state({"change", "--new-pin-file", file("new-pin")}), "token.pin_incorrect");
  EXPECT_TRUE(read_file(marker).starts_with("serial ")) << read_file(marker);
  EXPECT_EQ(read_file(marker).find("serial \n"), std::string::npos) << read_file(marker);
  expect_refused(of_state({"change", "--new-pin-file", file("new-pin")}), "token.pin_refused");
}

TEST_F(TokenPinOfState, ALinkIsFollowed) {
  std::filesystem::rename(place_.path("pin"), place_.path("real-pin"));
  std::filesystem::create_symlink("real-pin", place_.path("pin"));
  ASSERT_EQ(of_state({"change", "--new-pin-file", file("new-pin")}).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(place_.path("pin")));
  EXPECT_EQ(read_file(place_.path("real-pin")), std::string(kNewPin) + "\n");
}

TEST_F(TokenPinOfState, ARefusedChangeLeavesTheFileAlone) {
  expect_refused(
      of_state({"set", "--so-pin-file", file("new-so-pin"), "--new-pin-file", file("new-pin")}),
      "token.pin_incorrect");
  expect_refused(
      of_state({"change", "--pin-file", file("new-so-pin"), "--new-pin-file", file("new-pin")}),
      "token.pin_incorrect");
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
  EXPECT_FALSE(std::filesystem::exists(next()));
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPinOfState, NothingIsChangedWhereTheFileCannotBe) {
  std::filesystem::create_directory(next());
  expect_refused(of_state({"change", "--new-pin-file", file("new-pin")}), "token.pin_unfinished");
  EXPECT_TRUE(logs_in(Workplace::kPin));
  std::filesystem::remove(next());
  std::filesystem::remove(place_.path("pin"));
  expect_refused(
      of_state({"set", "--so-pin-file", file("so-pin"), "--new-pin-file", file("new-pin")}),
      "file.unreadable");
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPinOfState, AfterADeathBehindTheTokensChangeTheNewPinIsTakenUp) {
  leave_half_done(true);
  expect_refused(of_state({"change", "--new-pin-file", file("new-so-pin")}),
                 "token.pin_unfinished");
  expect_refused(
      of_state({"set", "--so-pin-file", file("so-pin"), "--new-pin-file", file("new-so-pin")}),
      "token.pin_unfinished");
  const Finished resumed = of_state({"resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(pin_file(), std::string(kNewPin) + "\n");
  EXPECT_FALSE(std::filesystem::exists(next()));
  expect_refused(of_state({"resume"}), "token.pin_no_change");
}

TEST_F(TokenPinOfState, AfterADeathBeforeTheTokensChangeTheOldPinStays) {
  leave_half_done(false);
  const Finished resumed = of_state({"resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(resumed.out.find("the token has the old PIN"), std::string::npos) << resumed.out;
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
  EXPECT_FALSE(std::filesystem::exists(next()));
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

/// One of several tokens, by its name in the process configuration.
TEST_F(TokenPinOfState, AFurtherTokenHasItsOwnPinFile) {
  ASSERT_EQ(place_.token_init("second").code, 0);
  write_new_file(place_.path("second-pin"), read_file(place_.path("pin")), FileMode::secret);
  replace_file(place_.state() / "estia.toml",
               read_file(place_.state() / "estia.toml") + "\n[tokens.net]\nmodule = \"" +
                   place_.module() + "\"\nlabel = \"second\"\npin_file = \"" + file("second-pin") +
                   "\"\n",
               FileMode::secret);
  expect_refused(of_state({"change", "--token", "second", "--new-pin-file", file("new-pin")}),
                 "token.unknown");
  const Finished changed =
      of_state({"change", "--token", "net", "--new-pin-file", file("new-pin")});
  ASSERT_EQ(changed.code, 0) << changed.err;
  EXPECT_EQ(read_file(place_.path("second-pin")), std::string(kNewPin) + "\n");
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n") << "the main one's";
  EXPECT_TRUE(logs_in(Workplace::kPin));
  const Finished main = of_state({"change", "--token", "main", "--new-pin-file", file("new-pin")});
  ASSERT_EQ(main.code, 0) << main.err;
  EXPECT_TRUE(logs_in(kNewPin));
}

/// Where estiad is brought its PIN by an operator there is no file that could follow.
TEST_F(TokenPinOfState, WithoutAPinFileThePinsAreGivenAndTold) {
  replace_pin_file_by("pin_from = \"operator\"");
  EXPECT_EQ(of_state({"change", "--new-pin-file", file("new-pin")}).code, 2) << "--pin-file";
  const Finished changed =
      of_state({"change", "--pin-file", file("pin"), "--new-pin-file", file("new-pin")});
  ASSERT_EQ(changed.code, 0) << changed.err;
  EXPECT_NE(changed.out.find("give it to estiad"), std::string::npos) << changed.out;
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
  EXPECT_TRUE(logs_in(kNewPin));
  EXPECT_EQ(of_state({"resume"}).code, 2);
}

/// Found in review: the manual said that the note goes. The credential may hold the old PIN.
TEST_F(TokenPinOfState, WithACredentialTheNoteOfARefusedPinStaysAndIsTold) {
  replace_pin_file_by("pin_credential = \"token-pin\"");
  const auto marker = place_.state() / "token-pin-refused";
  const std::vector<std::string> order{"set", "--so-pin-file", file("so-pin"), "--new-pin-file",
                                       file("new-pin")};
  const Finished without = of_state(order);
  ASSERT_EQ(without.code, 0) << without.err;
  EXPECT_EQ(without.out.find("estiad's, which tries none"), std::string::npos) << without.out;
  write_new_file(marker, "serial x\nat y\n", FileMode::secret);
  EXPECT_EQ(of_state({"change", "--new-pin-file", file("new-so-pin")}).code, 2)
      << "the note is of no file's PIN: it is asked for";
  const Finished set = of_state(order);
  ASSERT_EQ(set.code, 0) << set.err;
  EXPECT_NE(set.out.find("then run estia token activate\n"), std::string::npos) << set.out;
  EXPECT_TRUE(std::filesystem::exists(marker));
  EXPECT_TRUE(logs_in(kNewPin));
}

TEST_F(TokenPinOfState, ResumeNeedsAStateDirectory) {
  EXPECT_EQ(pin({"resume"}).code, 2);
}

TEST_F(TokenPinOfState, ALockedStateIsRefused) {
  const provision::StateLock held{provision::StateLayout(place_.state())};
  leave_half_done(false);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"resume"},
        {"change", "--new-pin-file", file("new-pin")},
        {"set", "--so-pin-file", file("so-pin"), "--new-pin-file", file("new-pin")}}) {
    expect_refused(of_state(command), "state.locked");
  }
  EXPECT_TRUE(std::filesystem::exists(next()));
  EXPECT_EQ(pin_file(), std::string(Workplace::kPin) + "\n");
  EXPECT_TRUE(logs_in(Workplace::kPin));
}

TEST_F(TokenPinOfState, TheAuditTrailNamesWhoOrderedIt) {
  ASSERT_EQ(of_state({"change", "--new-pin-file", file("new-pin")}).code, 0);
  const std::string rows = place_.tool(
      {"sqlite3", (place_.state() / "estia.db").string(),
       "SELECT who, what, outcome, object, detail FROM audit WHERE what LIKE 'token.%'"});
  EXPECT_NE(rows.find("operator uid "), std::string::npos) << rows;
  EXPECT_NE(rows.find("|token.pin_changed|ok|token/main|user\n"), std::string::npos) << rows;
}

/// Found in review: the trail said `ok` before the attempt, whatever became of it.
TEST_F(TokenPinOfState, TheAuditTrailHasTheOutcome) {
  const auto rows = [](const std::string& what, const std::string& outcome) {
    return what + "|begun|token/main|user\n" + what + "|" + outcome + "|token/main|user\n";
  };
  expect_refused(
      of_state({"set", "--so-pin-file", file("new-pin"), "--new-pin-file", file("new-so-pin")}),
      "token.pin_incorrect");
  expect_refused(
      of_state({"change", "--pin-file", file("new-so-pin"), "--new-pin-file", file("new-pin")}),
      "token.pin_incorrect");
  leave_half_done(false);
  ASSERT_EQ(of_state({"resume"}).code, 0);
  leave_half_done(true);
  ASSERT_EQ(of_state({"resume"}).code, 0);
  EXPECT_EQ(place_.audited_orders(), rows("token.pin_set", "token.pin_incorrect") +
                                         rows("token.pin_changed", "token.pin_incorrect") +
                                         rows("token.pin_resumed", "token.pin_incorrect") +
                                         rows("token.pin_resumed", "ok"));
}

}  // namespace
}  // namespace estia::test
