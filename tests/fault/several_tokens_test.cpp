// SPDX-License-Identifier: Apache-2.0
// Two CAs of one estiad with their keys in two tokens, each behind a module of its own: what
// becomes of one token is nothing to the other.
#include <fstream>
#include <thread>

#include "crypto/base/file.h"
#include "hsm/faults/client.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/fault/support/token_server.h"
#include "tests/support/est_request.h"
#include "tests/support/tls_client.h"

namespace estia::fault {
namespace {

class SeveralTokens : public e2e::ManagedSite {
 protected:
  static constexpr const char* kPassword = "spare-password-0123456789abcdef";

  /// The second CA and its keys are made by an `estia init` of their own.
  SeveralTokens() : remote_(std::make_unique<TokenServer>(other_)) {
    EXPECT_EQ(server->stop(), 0);
    write_new_file(spare_pin(), other_.pin() + "\n", FileMode::secret);
    write_new_file(installation.directory() / "spare.password", std::string(kPassword) + "\n",
                   FileMode::secret);
    std::ofstream(installation.state() / "estia.toml", std::ios::app)
        << "\n[listener.ops]\nport = 0\n\n[tokens.spare]\nmodule = \""
        << TokenServer::client_module().string() << "\"\nserial = \"" << spare_serial()
        << "\"\npin_file = \"" << spare_pin().string() << "\"\n";
    installation.add_environment(TokenServer::environment(other_));
    start();
    EXPECT_TRUE(add_configuration(spare_ca() + kAlias));
  }

  static constexpr const char* kAlias = R"(
[[alias]]
name = "spare"
ca = "spare"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["basic"]
ra_scope = "any"

[[account]]
alias = "spare"
user = "ra-2"
password_file = "spare.password"
)";

  [[nodiscard]] std::filesystem::path spare_pin() const {
    return installation.directory() / "spare-pin";
  }
  [[nodiscard]] std::string exported() const {
    return other_.estia({"config", "export", "--state", other_.state().string()}).out;
  }
  /// `serial=...;` of the key's URI.
  [[nodiscard]] std::string spare_serial() const {
    const std::string document = exported();
    const std::size_t at = document.find("serial=") + 7;
    return document.substr(at, document.find(';', at) - at);
  }
  [[nodiscard]] std::string spare_ca() const {
    const std::string document = exported();
    const std::size_t at = document.find("[[ca]]\nname = \"issuing\"");
    std::string block = document.substr(at, document.find("[[", at + 2) - at);
    return "\n" + block.replace(block.find("issuing"), 7, "spare");
  }

  [[nodiscard]] e2e::Answer enroll(const std::string& alias, const std::string& name) const {
    const auto credentials = alias == "est" ? client->as_ra() : client->as_user("ra-2", kPassword);
    return client->post(alias + "/simpleenroll",
                        e2e::EstClient::csr_base64(client->make_device("/CN=" + name)),
                        credentials);
  }
  [[nodiscard]] std::string issuer_of(const e2e::Answer& answer) const {
    return client->openssl(
        {"x509", "-in", client->save_certificate(answer.body).string(), "-noout", "-issuer"});
  }
  void use_module_of_spare(const std::filesystem::path& module) const {
    const auto file = installation.state() / "estia.toml";
    std::string text = read_file(file);
    const std::string old = TokenServer::client_module().string();
    text.replace(text.find(old), old.size(), module.string());
    replace_file(file, text, FileMode::readable);
  }
  void wait_until(const std::string& line) const {
    for (int i = 0; i < 600 && ops_page("/metrics").find(line) == std::string::npos; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_NE(ops_page("/metrics").find(line), std::string::npos) << line << server->err();
  }

  const e2e::Installation other_;
  std::unique_ptr<TokenServer> remote_;
};

TEST_F(SeveralTokens, EachCaSignsWithTheKeyThatItsUriNames) {
  const e2e::Answer main = enroll("est", "a");
  const e2e::Answer spare = enroll("spare", "b");
  ASSERT_EQ(main.status, 200) << main.body;
  ASSERT_EQ(spare.status, 200) << spare.body << server->err();
  EXPECT_NE(issuer_of(main), issuer_of(spare));
  const std::string status = estia_ok({"status", "--json"});
  EXPECT_NE(status.find("\"name\": \"main\""), std::string::npos) << status;
  EXPECT_NE(status.find("\"name\": \"spare\""), std::string::npos) << status;
  EXPECT_NE(status.find("\"never extractable\""), std::string::npos) << status;
}

/// Killed and started again, as a network HSM is.
TEST_F(SeveralTokens, OneThatIsLostStopsItsOwnCaOnly) {
  remote_->kill();
  EXPECT_EQ(enroll("spare", "lost").status, 503);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(enroll("est", "served-" + std::to_string(i)).status, 200);
  }
  wait_until("estia_token_attached{token=\"spare\"} 0\n");
  EXPECT_NE(ops_page("/metrics").find("estia_token_attached{token=\"main\"} 1\n"),
            std::string::npos);
  EXPECT_NE(ops_page("/readyz").find("token ok\n"), std::string::npos) << "one of them can be used";
  remote_ = std::make_unique<TokenServer>(other_);
  wait_until("estia_token_attached{token=\"spare\"} 1\n");
  EXPECT_EQ(enroll("spare", "back").status, 200);
  EXPECT_EQ(installation.query("SELECT count(*) FROM audit WHERE what LIKE 'token.%' AND "
                               "object = 'token/main' AND what <> 'token.attached'"),
            "0");
}

TEST_F(SeveralTokens, APinThatOneRefusesIsNothingToTheOther) {
  EXPECT_EQ(server->stop(), 0);
  replace_file(spare_pin(), "wrong-pin\n", FileMode::secret);
  start();
  EXPECT_EQ(enroll("spare", "no").status, 503);
  EXPECT_EQ(enroll("est", "yes").status, 200);
  EXPECT_TRUE(std::filesystem::exists(installation.state() / "token-pin-refused-spare"));
  EXPECT_FALSE(std::filesystem::exists(installation.state() / "token-pin-refused"));
  replace_file(spare_pin(), other_.pin() + "\n", FileMode::secret);
  EXPECT_NE(estia({"token", "activate", "--token", "nobody"}).code, 0);
  EXPECT_NE(estia_ok({"token", "activate", "--token", "spare"}).find("attached"),
            std::string::npos);
  EXPECT_EQ(enroll("spare", "late").status, 200);
}

TEST_F(SeveralTokens, AKeyInNoneOfThemIsRefused) {
  std::string block = spare_ca();
  block.replace(block.find("\"spare\""), 7, "\"third\"");
  const std::string serial = spare_serial();
  block.replace(block.find(serial), serial.size(), "0000000000000000");
  const e2e::Finished refused = apply(estia_ok({"config", "export"}) + block +
                                      "\n[[alias]]\nname = \"third\"\nca = \"third\"\n"
                                      "end_entity_profile = \"device\"\n"
                                      "certificate_profile = \"device\"\n"
                                      "authenticators = [\"basic\"]\nra_scope = \"any\"\n");
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("CA 'third': the name is of a key in another token"),
            std::string::npos)
      << refused.err;
}

/// Found as a hole: estiad did not start.
TEST_F(SeveralTokens, ACaWhoseTokenIsNotThereIsOffline) {
  EXPECT_EQ(server->stop(), 0);
  const auto file = installation.state() / "estia.toml";
  std::string text = read_file(file);
  text.resize(text.find("[tokens.spare]"));  // and another one, so that there are several
  replace_file(file,
               text + "[tokens.net]\nmodule = \"" + TokenServer::client_module().string() +
                   "\"\nserial = \"0000\"\npin_file = \"" + spare_pin().string() + "\"\n",
               FileMode::readable);
  start();
  EXPECT_EQ(enroll("est", "served").status, 200);
  EXPECT_EQ(enroll("spare", "offline").status, 503);
  EXPECT_NE(server->err().find("event=ca.offline ca=spare id=token.uri_other_token"),
            std::string::npos)
      << server->err();
}

/// Found in review: estiad did not start.
TEST_F(SeveralTokens, OneWhoseModuleOrPinIsNotThereIsAwayUntilItIs) {
  const auto kept = installation.directory() / "kept";
  std::filesystem::rename(spare_pin(), kept);
  EXPECT_EQ(server->stop(), 0);
  start();
  EXPECT_EQ(enroll("est", "served").status, 200);
  EXPECT_EQ(enroll("spare", "no-pin").status, 503);
  EXPECT_NE(server->err().find("event=token.away token=spare"), std::string::npos) << server->err();
  std::filesystem::rename(kept, spare_pin());
  wait_until("estia_token_attached{token=\"spare\"} 1\n");
  EXPECT_EQ(enroll("spare", "pin").status, 200);

  EXPECT_EQ(server->stop(), 0);
  const auto module = installation.directory() / "module.so";
  use_module_of_spare(module);
  start();
  EXPECT_EQ(enroll("est", "served-too").status, 200);
  EXPECT_EQ(enroll("spare", "no-module").status, 503);
  std::filesystem::create_symlink(TokenServer::client_module(), module);
  wait_until("estia_token_attached{token=\"spare\"} 1\n");
  EXPECT_EQ(enroll("spare", "module").status, 200);
}

/// The main token is behind the module that injects faults.
class OneTokenHangs : public SeveralTokens {
 protected:
  explicit OneTokenHangs(const std::string& limits = "answer = \"300ms\"\n") {
    EXPECT_EQ(server->stop(), 0);
    installation.replace_module(ESTIA_FAULT_MODULE);
    installation.add_environment("ESTIA_FAULTS_MODULE=" + e2e::softhsm_module());
    installation.add_environment("ESTIA_FAULTS_SOCKET=" + socket_.string());
    std::ofstream(installation.state() / "estia.toml", std::ios::app) << "\n[limits]\n" << limits;
    start();
  }
  void order(const std::string& line) const {
    const auto answer = hsm::faults::Client(socket_).ask(line);
    ASSERT_TRUE(answer.ok) << line << ": " << answer.text;
  }
  const std::filesystem::path socket_ = installation.directory() / "faults.sock";
};

/// T14: 503 for those who need it; who needs another one, or none, is served.
TEST_F(OneTokenHangs, CasOfAnotherModuleAndReadPathsAreUnaffected) {
  order("hang C_Sign count=for-ever");
  for (int i = 0; i < 3; ++i) {
    const e2e::Answer stuck = enroll("est", "stuck-" + std::to_string(i));
    EXPECT_EQ(stuck.status, 503);
    EXPECT_NE(stuck.header("Retry-After"), "");
    EXPECT_EQ(enroll("spare", "served-" + std::to_string(i)).status, 200) << server->err();
    EXPECT_EQ(client->request("cacerts").status, 200);
  }
  order("clear");
  EXPECT_EQ(enroll("est", "back").status, 200);
}

/// Found in review: the first one who asked waited for as long as the token was silent.
TEST_F(OneTokenHangs, WhoAsksHowItIsIsTold) {
  order("hang C_GetTokenInfo count=for-ever");
  EXPECT_NE(ops_page("/metrics").find("estia_token_present{token=\"main\"} 0\n"),
            std::string::npos);
  EXPECT_NE(estia_ok({"status"}).find("does not answer"), std::string::npos);
  EXPECT_NE(ops_page("/metrics").find("estia_token_present{token=\"spare\"} 1\n"),
            std::string::npos);
  order("clear");
  order("release");
  wait_until("estia_token_present{token=\"main\"} 1\n");
}

/// Few workers, and a minute until who hangs is given up.
class EveryWorkerHangs : public OneTokenHangs {
 protected:
  EveryWorkerHangs() : OneTokenHangs("workers = 3\nhandshakes_at_once = 1\n") {}

  [[nodiscard]] std::unique_ptr<test::TlsClient> connect() const {
    return std::make_unique<test::TlsClient>(static_cast<std::uint16_t>(std::stoi(server->port())));
  }
  [[nodiscard]] std::string request(const std::string& name) const {
    const std::string csr = read_file(client->make_device("/CN=" + name).csr);
    return test::est_request(
        "simpleenroll", as_bytes(csr),
        test::basic_authorization(installation.user() + ":" + installation.password()));
  }
};

/// Found in review: until `limits.answer` had passed nobody was answered, whatever he needed.
TEST_F(EveryWorkerHangs, OthersTakeTheirPlacesWhileTheirClientsWait) {
  order("hang C_Sign count=for-ever");
  std::vector<std::unique_ptr<test::TlsClient>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(connect());
    waiting.back()->send(request("hangs-" + std::to_string(i)));
  }
  order("wait C_Sign 3");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(enroll("spare", "served-" + std::to_string(i)).status, 200) << server->err();
    EXPECT_EQ(client->request("cacerts").status, 200);
  }
  for (int i = 0; i < 3; ++i) {  // by those who took their places
    EXPECT_EQ(enroll("est", "refused-" + std::to_string(i)).status, 503);
  }
  EXPECT_EQ(client->request("cacerts").status, 200);
  EXPECT_EQ(server->err().find("http.answer_late"), std::string::npos) << "they still hang";
  order("clear");
  for (const auto& each : waiting) {
    EXPECT_EQ(each->read_answer().status, 200) << "served all the same";
  }
}

}  // namespace
}  // namespace estia::fault
