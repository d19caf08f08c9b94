// SPDX-License-Identifier: Apache-2.0
// estiad without its token, with a PIN that is refused, with a key that is another one: what needs
// no token is served, and what was missing is taken up without a restart.
#include <fstream>
#include <thread>

#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/support/memory_scan.h"
#include "tests/unit/admin/terminal.h"

namespace estia::e2e {
namespace {

class TokenRecovery : public ManagedSite {
 protected:
  TokenRecovery() { EXPECT_EQ(server->stop(), 0); }

  [[nodiscard]] std::filesystem::path tokens() const { return installation.directory() / "tokens"; }
  [[nodiscard]] std::filesystem::path hidden() const { return installation.directory() / "hidden"; }
  void hide_token() const {
    std::filesystem::rename(tokens(), hidden());
    std::filesystem::create_directory(tokens());
  }
  void show_token() const {
    std::filesystem::rename(hidden(), tokens());  // in place of the empty one, in one step
  }
  [[nodiscard]] std::string token_state() const {
    const std::string status = estia_ok({"status", "--json"});
    const std::size_t at = status.find("\"state\": \"") + 10;
    return status.substr(at, status.find('"', at) - at);
  }
  void wait_until(const std::string& state) const {
    for (int i = 0; i < 600 && token_state() != state; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(token_state(), state) << server->err();
  }
  /// The status of an enrolment, and whether a 503 said when to come back.
  [[nodiscard]] int enrolment(const std::string& name) const {
    const Answer answer = client->post(
        "simpleenroll", EstClient::csr_base64(client->make_device("/CN=" + name)), client->as_ra());
    EXPECT_EQ(answer.status == 503, !answer.header("Retry-After").empty()) << answer.body;
    return answer.status;
  }
  [[nodiscard]] std::string outcomes(const std::string& what) const {
    return installation.query(
        "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM audit WHERE what = '" + what +
        "' ORDER BY sequence)");
  }
  [[nodiscard]] std::string audited(const std::string& what) const {
    return installation.query("SELECT count(*) FROM audit WHERE what = '" + what + "'");
  }
};

TEST_F(TokenRecovery, StartsWithoutItsTokenAndTakesItUpWhenItIsThere) {
  hide_token();
  start();
  EXPECT_EQ(client->request("cacerts").status, 200);
  EXPECT_EQ(enrolment("early"), 503);
  EXPECT_EQ(token_state(), "away");
  show_token();
  wait_until("attached");
  EXPECT_EQ(enrolment("late"), 200);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(audited("token.away"), "1");
  EXPECT_NE(server->err().find("event=token.attached"), std::string::npos) << server->err();
}

/// Each further attempt could be the one that locks the token.
TEST_F(TokenRecovery, APinThatIsRefusedIsTriedOnceUntilTheOperatorSaysSo) {
  const std::string right = read_file(installation.pin_file());
  replace_file(installation.pin_file(), "wrong-pin\n", FileMode::secret);
  const auto marker = installation.state() / "token-pin-refused";
  for (int life = 0; life < 2; ++life) {
    start();
    EXPECT_EQ(client->request("cacerts").status, 200);
    EXPECT_EQ(enrolment("no-pin"), 503);
    EXPECT_EQ(token_state(), "PIN refused");
    EXPECT_TRUE(std::filesystem::exists(marker));
    EXPECT_EQ(server->stop(), 0);
  }
  start();
  EXPECT_NE(estia({"token", "activate"}).code, 0) << "the PIN is still wrong";
  replace_file(installation.pin_file(), right, FileMode::secret);
  EXPECT_EQ(enrolment("not-yet"), 503);
  EXPECT_NE(estia_ok({"token", "activate"}).find("attached"), std::string::npos);
  EXPECT_EQ(enrolment("at-last"), 200);
  EXPECT_FALSE(std::filesystem::exists(marker));
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(server->err().find("wrong-pin"), std::string::npos);
  EXPECT_EQ(outcomes("token.activate"), "begun token.pin_refused begun ok");
}

class TypedPin : public TokenRecovery {
 protected:
  TypedPin() {
    const auto file = installation.state() / "estia.toml";
    std::string text = read_file(file);
    const std::size_t at = text.find("pin_file = ");
    text.replace(at, text.find('\n', at) - at, "pin_from = \"operator\"");
    replace_file(file, text, FileMode::readable);
  }
  static constexpr const char* kQuestion = "PIN of the token main: ";
};

/// pin_from = "operator": it is nowhere on the machine.
TEST_F(TypedPin, AnOperatorBringsItInAFile) {
  start();
  EXPECT_EQ(client->request("cacerts").status, 200);
  EXPECT_EQ(enrolment("no-pin"), 503);
  EXPECT_EQ(token_state(), "PIN awaited");
  EXPECT_NE(estia({"token", "activate"}).code, 0) << "with none";
  EXPECT_NE(estia_ok({"token", "activate", "--pin-file", installation.pin_file().string()})
                .find("attached"),
            std::string::npos);
  EXPECT_EQ(enrolment("at-last"), 200);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(server->err().find(installation.pin()), std::string::npos);
}

/// Found in review: the text of the request stayed in memory with it. Found under AddressSanitizer:
/// and so did the buffers of the JSON parser, whose first bytes alone the heap writes over.
TEST_F(TypedPin, NothingIsLeftOfOneThatIsRefusedAndOneOfTheOther) {
  const auto wait_until_seen = [&](const std::string& pin, std::size_t times) {
    const test::Needle needle(as_bytes(pin));
    while (test::count_in(server->child().pid(), needle) != times) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the worker clears up
    }
  };
  const std::string canary = "wrong-canary-" + installation.pin();
  const std::string wrong = std::string(24, '-') + canary;
  write_new_file(installation.directory() / "wrong", wrong + "\n", FileMode::secret);
  start();
  EXPECT_NE(
      estia({"token", "activate", "--pin-file", (installation.directory() / "wrong").string()})
          .code,
      0);
  EXPECT_EQ(token_state(), "PIN refused");
  wait_until_seen(canary, 0);
  estia_ok({"token", "activate", "--pin-file", installation.pin_file().string()});
  EXPECT_EQ(enrolment("right"), 200);
  wait_until_seen(installation.pin(), 1);
}

TEST_F(TypedPin, EstiadAsksBeforeItStarts) {
  test::Terminal terminal({program("estiad"), "--state", state(), "--port", "0", "--ask-pin"},
                          installation.environment());
  terminal.answer(kQuestion, installation.pin() + "\r");
  terminal.answer("ready est", "");
  EXPECT_EQ(token_state(), "attached");
  EXPECT_EQ(terminal.command_line().find(installation.pin()), std::string::npos);
  terminal.answer("", "\x03");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_EQ(terminal.shown().find(installation.pin()), std::string::npos);
}

TEST_F(TypedPin, AnOrderAsks) {
  start();
  EXPECT_EQ(token_state(), "PIN awaited");
  test::Terminal terminal({program("estia"), "token", "activate", "--state", state(), "--ask-pin"},
                          installation.environment());
  terminal.answer(kQuestion, installation.pin() + "\r");
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_EQ(terminal.shown().find(installation.pin()), std::string::npos);
  EXPECT_EQ(token_state(), "attached");
  EXPECT_EQ(enrolment("typed"), 200);
}

TEST_F(TypedPin, WithoutATerminalNobodyIsAsked) {
  const Finished refused =
      run({"setsid", "--wait", program("estiad"), "--state", state(), "--port", "0", "--ask-pin"},
          installation.directory(), installation.environment());
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("[daemon.no_terminal]"), std::string::npos) << refused.err;
}

/// A wrong or missing key keeps that CA offline, not the process.
TEST_F(TokenRecovery, ACaWithoutItsKeyIsOffline) {
  const auto keep = installation.directory() / "kept";
  std::filesystem::copy(tokens(), keep, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tokens())) {
    if (entry.path().extension() == ".object" && entry.path().filename() != "token.object") {
      std::filesystem::remove(entry.path());
    }
  }
  start();
  EXPECT_EQ(client->request("cacerts").status, 200);
  EXPECT_EQ(token_state(), "attached");
  EXPECT_EQ(enrolment("no-key"), 503);
  EXPECT_NE(server->err().find("event=ca.offline ca=issuing id=token.key_not_found"),
            std::string::npos)
      << server->err();
  EXPECT_EQ(server->stop(), 0);
}

/// D2: another way to the same signatures.
TEST_F(TokenRecovery, SignsThroughPkcs11ProviderWhereTheConfigurationSaysSo) {
  installation.add_to_token("signing = \"pkcs11-provider\"\n");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const Finished refused = run_estiad(installation, {"--port", "0"});
  EXPECT_NE(refused.err.find("[token.signing_unavailable]"), std::string::npos) << refused.err;
#else
  start();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(enrolment("device-" + std::to_string(i)), 200) << server->err();
  }
#endif
}

class TokenHealth : public TokenRecovery {};

TEST_F(TokenHealth, ReadinessIsRedWithoutTheToken) {
  hide_token();
  std::ofstream(installation.state() / "estia.toml", std::ios::app)
      << "\n[listener.ops]\nport = 0\n";
  start();
  EXPECT_NE(ops_page("/readyz").find("token away\n"), std::string::npos) << ops_page("/readyz");
  EXPECT_EQ(ops_page("/healthz"), "alive\n");
  show_token();
  wait_until("attached");
  EXPECT_NE(ops_page("/readyz").find("token ok\n"), std::string::npos) << ops_page("/readyz");
  EXPECT_NE(ops_page("/metrics")
                .find("estia_token_recoveries_total{rung=\"restart module\",token=\"main\"} 1"),
            std::string::npos);
}

}  // namespace
}  // namespace estia::e2e
