// SPDX-License-Identifier: Apache-2.0
// The shipped module between a real estiad and SoftHSM, controlled from outside while it runs.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <memory>
#include <thread>

#include "crypto/base/file.h"
#include "crypto/keys/private_key.h"
#include "hsm/faults/client.h"
#include "tests/e2e/support/estiad_process.h"
#include "tests/support/certificates.h"
#include "tests/support/est_request.h"
#include "tests/support/tls_client.h"

namespace estia::e2e {
namespace {

class FaultModule : public testing::Test {
 protected:
  explicit FaultModule(const std::vector<std::string>& init_options = {})
      : installation_("any", init_options) {
    installation_.replace_module(ESTIA_FAULT_MODULE);
    installation_.add_environment("ESTIA_FAULTS_MODULE=" + softhsm_module());
    installation_.add_environment("ESTIA_FAULTS_SOCKET=" + socket_.string());
  }

  [[nodiscard]] int enroll(const std::string& device) const {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    test::TlsClient client(static_cast<std::uint16_t>(std::stoi(server_->port())));
    client.send(test::est_request(
        "simpleenroll", test::make_csr_der(key, "CN=" + device),
        test::basic_authorization(installation_.user() + ":" + installation_.password())));
    return client.read_answer().status;
  }
  /// A server that takes its time to trust the token again is right too; ctest's limit ends this.
  void enroll_at_last(const std::string& device) const {
    while (enroll(device) != 200) {
      std::this_thread::yield();
    }
  }
  /// Of one second, and four sessions.
  void set_call_limit() const {
    installation_.add_to_token("call_limit = \"1s\"\nmax_sessions = 4\n");
  }
  /// What readiness says at the start.
  [[nodiscard]] std::string first_readiness() {
    std::ofstream(installation_.state() / "estia.toml", std::ios::app)
        << "\n[listener.ops]\nport = 0\n";
    server_ = std::make_unique<EstiadProcess>(installation_);
    return run({"curl", "-s", "http://" + server_->ops_address() + "/readyz"},
               installation_.directory(), {})
        .out;
  }
  /// Before estiad's first call.
  void order_from_the_start(const std::string& line) {
    const std::filesystem::path rules = installation_.directory() / "rules";
    replace_file(rules, line + "\n", FileMode::readable);
    installation_.add_environment("ESTIA_FAULTS_RULES=" + rules.string());
  }
  void order(const std::string& line) const {
    const auto answer = hsm::faults::Client(socket_).ask(line);
    ASSERT_TRUE(answer.ok) << answer.text;
  }

  Installation installation_;
  const std::filesystem::path socket_ = installation_.directory() / "faults.sock";
  std::unique_ptr<EstiadProcess> server_;
};

TEST_F(FaultModule, TheTokenFailsAndRecoversWhileEstiadRuns) {
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_NE(server_->err().find("estia-p11-faults: for tests only"), std::string::npos);
  EXPECT_EQ(enroll("before"), 200);
  order("fail C_Sign CKR_FUNCTION_FAILED count=for-ever");
  EXPECT_EQ(enroll("meanwhile"), 503);
  order("clear");
  enroll_at_last("afterwards");
  EXPECT_EQ(server_->stop(), 0);
}

TEST_F(FaultModule, AWrongSignatureIsNotReleased) {
  server_ = std::make_unique<EstiadProcess>(installation_);
  order("corrupt-signature");
  EXPECT_GE(enroll("meanwhile"), 500);
  order("clear");
  enroll_at_last("afterwards");
  EXPECT_EQ(server_->stop(), 0);
}

TEST_F(FaultModule, AModuleThatDoesNotStartIsTakenUpOnceItDoes) {
  order_from_the_start("fail C_Initialize CKR_DEVICE_ERROR count=for-ever");
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_EQ(enroll("without-a-module"), 503);
  EXPECT_NE(server_->err().find("CKR_DEVICE_ERROR"), std::string::npos) << server_->err();
  order("clear");
  enroll_at_last("with-one");
  EXPECT_EQ(server_->stop(), 0);
}

/// Found in review: neither EST nor SIGTERM was answered for as long as the token was silent.
TEST_F(FaultModule, ATokenThatIsSilentHoldsUpNeitherTheStartNorTheEnd) {
  order_from_the_start("hang C_Login count=for-ever");
  set_call_limit();
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_NE(server_->err().find("token.stuck"), std::string::npos) << server_->err();
  EXPECT_EQ(enroll("too-early"), 503);
  order("clear");
  order("release");
  enroll_at_last("later");
  order("hang C_CloseSession count=for-ever");
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_NE(server_->err().find("daemon.token_silent"), std::string::npos) << server_->err();
}

/// Found in review: neither port nor management socket was there while such a call was out, and
/// SIGTERM did nothing.
TEST_F(FaultModule, ATokenThatIsSilentAboutKeysForClientsHoldsUpNeitherTheStartNorTheEnd) {
  order_from_the_start("hang C_GenerateKeyPair count=for-ever");
  server_ = std::make_unique<EstiadProcess>(installation_);
  order("wait C_GenerateKeyPair 1");
  EXPECT_EQ(enroll("meanwhile"), 200);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_NE(server_->err().find("daemon.token_silent"), std::string::npos) << server_->err();
}

/// What a CA key needs before it is used.
class AKeyIsNotFound : public FaultModule, public testing::WithParamInterface<const char*> {};

/// Found in review: the start waited for it without end.
TEST_P(AKeyIsNotFound, WhileTheTokenIsSilentAndTheStartGoesOn) {
  order_from_the_start(std::string("hang ") + GetParam() + " count=for-ever");
  set_call_limit();
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_NE(server_->err().find("event=ca.offline ca=issuing id=token.no_answer"),
            std::string::npos)
      << server_->err();
  EXPECT_EQ(enroll("too-early"), 503);
  order("clear");
  order("release");
  enroll_at_last("later");
  EXPECT_EQ(server_->stop(), 0);
}

/// Found in review: all was well, it said, until call_limit and three times session_wait had
/// passed.
TEST_P(AKeyIsNotFound, WhileTheTokenIsSilentAndReadinessSaysSo) {
  order_from_the_start(std::string("hang ") + GetParam() + " count=for-ever");
  installation_.add_to_token("call_limit = \"3s\"\n");
  const std::string page = first_readiness();
  EXPECT_NE(page.find("keys none can be used"), std::string::npos) << page;
  EXPECT_EQ(server_->err().find("token.stuck"), std::string::npos);
  order("clear");
  order("release");
  enroll_at_last("later");
  EXPECT_EQ(server_->stop(), 0);
}

/// Found in review: green for ten seconds, although the CA was offline.
TEST_P(AKeyIsNotFound, WhileTheTokenIsFullAndReadinessSaysSo) {
  order_from_the_start(std::string("fail ") + GetParam() + " CKR_DEVICE_MEMORY count=for-ever");
  const std::string page = first_readiness();
  EXPECT_NE(page.find("keys none can be used"), std::string::npos) << page;
  order("clear");
  enroll_at_last("later");
  EXPECT_EQ(server_->stop(), 0);
}

TEST_P(AKeyIsNotFound, WhileTheTokenIsSilentAndTheEndComes) {
  order_from_the_start(std::string("hang ") + GetParam() + " count=for-ever");
  set_call_limit();
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_NE(server_->err().find("daemon.token_silent"), std::string::npos) << server_->err();
}

INSTANTIATE_TEST_SUITE_P(Calls, AKeyIsNotFound, testing::Values("C_FindObjects", "C_SignInit"),
                         [](const auto& tested) { return std::string(tested.param); });

/// Found in review: SIGTERM was not heard before the token had answered, or call_limit had passed.
TEST_F(FaultModule, AStartThatWaitsForASilentTokenIsStopped) {
  order_from_the_start("hang C_Login count=for-ever");
  const auto log = installation_.directory() / "log";
  Child estiad({.arguments = {program("estiad"), "--state", installation_.state().string()},
                .environment = installation_.environment(),
                .out = installation_.directory() / "out",
                .err = log});
  while (!std::filesystem::exists(socket_)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  order("wait C_Login 1");
  estiad.signal(SIGTERM);
  EXPECT_EQ(estiad.wait(std::chrono::seconds(20)), 0) << "call_limit is longer";
  EXPECT_NE(read_file(log).find("event=daemon.start_stopped"), std::string::npos) << read_file(log);
  order_from_the_start("");
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_EQ(enroll("afterwards"), 200);
  EXPECT_EQ(server_->stop(), 0);
}

/// Found in review: estiad said of itself that all was well, and answered nothing.
TEST_F(FaultModule, CallsThatHangAreSeenWhileALookAtTheTokenHangs) {
  set_call_limit();
  server_ = std::make_unique<EstiadProcess>(installation_);
  order("hang C_GetSessionInfo count=for-ever");
  order("fail C_Sign CKR_DEVICE_ERROR count=1");
  EXPECT_EQ(enroll("first"), 503);
  order("wait C_GetSessionInfo 1");
  order("hang C_Sign count=for-ever");
  std::vector<std::thread> hanging;
  for (int i = 0; i < 4; ++i) {
    hanging.emplace_back([&, i] { static_cast<void>(enroll("hangs-" + std::to_string(i))); });
  }
  while (server_->err().find("token.stuck") == std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(enroll("meanwhile"), 503);
  order("clear");
  order("release");
  for (std::thread& each : hanging) {
    each.join();
  }
  enroll_at_last("afterwards");
  EXPECT_EQ(server_->stop(), 0);
}

class TlsKeyBehindFaults : public FaultModule {
 protected:
  TlsKeyBehindFaults() : FaultModule({"--tls-key-in-token"}) {}
  /// Keys for clients are refused: or the search for a long one's primes is what nobody waits for.
  void start_without_keys_for_clients() {
    order_from_the_start("fail C_GenerateKeyPair CKR_MECHANISM_INVALID count=for-ever");
    installation_.add_to_token("call_limit = \"1s\"\n");
    server_ = std::make_unique<EstiadProcess>(installation_);
  }
  void wait_logged(const std::string& text) const {
    while (server_->err().find(text) == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  /// Whether a request gets an answer at all.
  [[nodiscard]] bool served() const {
    try {
      return enroll("device") == 200;
    } catch (const std::exception&) {
      return false;
    }
  }
};

/// Found in review: half of the workers never hung, since so many handshakes are not worked on.
TEST_F(TlsKeyBehindFaults, HandshakesThatHangMakeTheTokenStuck) {
  installation_.add_to_token("call_limit = \"1s\"\n");
  server_ = std::make_unique<EstiadProcess>(installation_);
  EXPECT_TRUE(served());
  order("hang C_Sign count=for-ever");
  std::vector<std::thread> hanging;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    hanging.emplace_back([&] { static_cast<void>(served()); });
  }
  while (server_->err().find("token.stuck") == std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  order("clear");
  order("release");
  for (std::thread& each : hanging) {
    each.join();
  }
  while (!served()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(server_->stop(), 0);
}

/// There is nothing to be served without it.
TEST_F(TlsKeyBehindFaults, IsNotWaitedForWithoutEnd) {
  order_from_the_start("hang C_SignInit count=for-ever");
  set_call_limit();
  const Finished ended = run_estiad(installation_, {"--port", "0"});
  EXPECT_EQ(ended.code, 1) << ended.err;
  EXPECT_NE(ended.err.find("listener.est.key"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("[token.no_answer]"), std::string::npos) << ended.err;
}

/// Found in review: the end went on as if nobody were inside the module, whose thread still looked.
TEST_F(TlsKeyBehindFaults, ThatIsStillLookedForIsLeftAlone) {
  start_without_keys_for_clients();
  order("hang C_FindObjects count=for-ever");
  const Finished reload =
      run({program("estia"), "tls", "reload", "--state", installation_.state().string()},
          installation_.directory(), installation_.environment());
  EXPECT_EQ(reload.code, 1);
  EXPECT_NE(reload.err.find("token.no_answer"), std::string::npos) << reload.err;
  server_->child().signal(SIGHUP);
  wait_logged("an earlier search for the TLS key is not back");
  EXPECT_TRUE(served()) << "with the one that was there";
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_NE(server_->err().find("event=daemon.stopped outcome=ok"), std::string::npos);
  EXPECT_NE(server_->err().find("a call that nobody waits for is not back"), std::string::npos)
      << server_->err();
}

/// Once it is back nothing is left alone for it.
TEST_F(TlsKeyBehindFaults, ThatIsFoundTooLateIsNoReasonToLeaveAnything) {
  start_without_keys_for_clients();
  order("hang C_FindObjects count=for-ever");
  server_->child().signal(SIGHUP);
  wait_logged("id=token.no_answer");
  order(
      "clear C_FindObjects");  // keys for clients are not found out about: none is made at the end
  while (server_->err().find("event=tls.reloaded") == std::string::npos) {
    server_->child().signal(SIGHUP);  // the search that is back has the token's turn before this
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_EQ(server_->err().find("event=daemon.token_silent"), std::string::npos) << server_->err();
}

/// D15: the client is told, others are served by another worker, and what was being made is given
/// to the client when it tries again.
TEST_F(FaultModule, ACallThatHangsIsAnswered503AndItsCertificateIsNotLost) {
  std::ofstream(installation_.state() / "estia.toml", std::ios::app)
      << "\n[limits]\nanswer = \"500ms\"\nworkers = 2\nhandshakes_at_once = 1\n";
  server_ = std::make_unique<EstiadProcess>(installation_);
  const auto port = static_cast<std::uint16_t>(std::stoi(server_->port()));
  const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const std::string request = test::est_request(
      "simpleenroll", test::make_csr_der(key, "CN=patient"),
      test::basic_authorization(installation_.user() + ":" + installation_.password()));
  order("hang C_Sign count=1");
  test::TlsClient stuck(port);
  stuck.send(request);
  const test::HttpAnswer told = stuck.read_answer();
  EXPECT_EQ(told.status, 503);
  EXPECT_NE(told.fields.at("Retry-After"), "");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(enroll("other-" + std::to_string(i)), 200) << "the token is well otherwise";
  }
  order("release");
  test::TlsClient again(port);
  again.send(request);
  EXPECT_EQ(again.read_answer().status, 200);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_EQ(
      installation_.query("SELECT count(*) FROM certificate WHERE subject_text LIKE '%patient%'"),
      "1");
}

/// Found in review: each of them waited ten seconds for the first one, with a worker.
TEST_F(FaultModule, RepetitionsOfARequestThatHangsAreToldToComeAgain) {
  std::ofstream(installation_.state() / "estia.toml", std::ios::app)
      << "\n[limits]\nanswer = \"5s\"\n";
  server_ = std::make_unique<EstiadProcess>(installation_);
  const auto port = static_cast<std::uint16_t>(std::stoi(server_->port()));
  const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const std::string request = test::est_request(
      "simpleenroll", test::make_csr_der(key, "CN=eager"),
      test::basic_authorization(installation_.user() + ":" + installation_.password()));
  order("hang C_Sign count=1");
  test::TlsClient first(port);
  first.send(request);
  order("wait C_Sign 1");
  std::vector<std::unique_ptr<test::TlsClient>> eager;
  for (int i = 0; i < 4; ++i) {
    eager.push_back(std::make_unique<test::TlsClient>(port));
    eager.back()->send(request);
  }
  for (const auto& each : eager) {
    const test::HttpAnswer told = each->read_answer();
    EXPECT_EQ(told.status, 503);
    EXPECT_NE(told.fields.at("Retry-After"), "");
  }
  order("release");
  static_cast<void>(first.read_answer());
  EXPECT_EQ(server_->stop(), 0);
  std::size_t told = 0;
  const std::string log = server_->err();
  for (std::size_t at = log.find("id=issuer.in_flight"); at != std::string::npos;
       at = log.find("id=issuer.in_flight", at + 1)) {
    ++told;
  }
  EXPECT_EQ(told, 4U) << log;
}

/// The words that switch faults on are in the module, and in no program of ours.
TEST(FaultModuleAlone, EstiadAndEstiaHaveNoFaultsInThem) {
  const auto has_faults = [](const std::filesystem::path& file) {
    constexpr std::size_t kLargest = 1U << 30U;  // with sanitizers
    return read_file(file, kLargest).find("ESTIA_FAULTS_") != std::string::npos;
  };
  EXPECT_TRUE(has_faults(ESTIA_FAULT_MODULE));
  EXPECT_FALSE(has_faults(program("estiad")));
  EXPECT_FALSE(has_faults(program("estia")));
}

}  // namespace
}  // namespace estia::e2e
