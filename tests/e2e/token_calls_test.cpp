// SPDX-License-Identifier: Apache-2.0
// What a certificate costs in calls of the token, counted by a module between estiad and SoftHSM.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>

#include "crypto/keys/private_key.h"
#include "tests/e2e/support/estiad_process.h"
#include "tests/support/certificates.h"
#include "tests/support/est_request.h"
#include "tests/support/p11_counters.h"
#include "tests/support/tls_client.h"

namespace estia::e2e {
namespace {

class TokenCalls : public testing::Test {
 protected:
  TokenCalls() {
    installation_.replace_module(ESTIA_P11_SHIM);
    installation_.add_environment("ESTIA_P11_REAL=" + softhsm_module());
    installation_.add_environment(std::string(test::kP11CountersFile) + "=" + file_.string());
    server_ = std::make_unique<EstiadProcess>(installation_);
  }

  [[nodiscard]] std::unique_ptr<test::TlsClient> connect() const {
    return std::make_unique<test::TlsClient>(
        static_cast<std::uint16_t>(std::stoi(server_->port())));
  }

  [[nodiscard]] std::string request(const std::string& device,
                                    const std::string& operation = "simpleenroll",
                                    const std::string& kind = "P-256") const {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse(kind));
    const Bytes csr = test::make_csr_der(key, "CN=" + device);
    return test::est_request(
        operation, csr,
        test::basic_authorization(installation_.user() + ":" + installation_.password()));
  }

  /// One connection, `count` devices; returns how many were given a certificate.
  [[nodiscard]] int enroll(const std::string& prefix, int count) const {
    int given = 0;
    const auto client = connect();
    for (int i = 0; i < count; ++i) {
      client->send(request(prefix + std::to_string(i)));
      given += client->read_answer().status == 200 ? 1 : 0;
    }
    return given;
  }

  Installation installation_;
  const std::filesystem::path file_ = installation_.directory() / "p11-counters";
  test::P11CountersFile counters_{file_, test::P11CountersFile::Open::create};
  std::unique_ptr<EstiadProcess> server_;
};

TEST_F(TokenCalls, OneSignatureForEachCertificateTwoAtOnceAndOneLogin) {
  constexpr int kClients = 8;
  constexpr int kEach = 5;
  const std::uint64_t before = counters_->sign.calls;
  EXPECT_GE(before, 1U) << "a key proves itself at the start, so the module in between counts";
  counters_->sign_meeting = 2;

  std::array<int, kClients> given{};
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < given.size(); ++i) {
    clients.emplace_back([&, i] {
      try {
        given[i] = enroll("device-" + std::to_string(i) + "-", kEach);
      } catch (const std::runtime_error& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }

  for (const int count : given) {
    EXPECT_EQ(count, kEach);
  }
  EXPECT_EQ(counters_->sign.calls - before, static_cast<std::uint64_t>(kClients * kEach));
  EXPECT_EQ(counters_->missed_meetings, 0U) << "one signature waits for another to end";
  EXPECT_GE(counters_->sign.most_in_flight, 2U);
  EXPECT_EQ(counters_->login.calls, 1U);
  EXPECT_EQ(server_->stop(), 0) << server_->err();
  EXPECT_EQ(counters_->sign.calls - before, static_cast<std::uint64_t>(kClients * kEach));
  EXPECT_EQ(installation_.query("SELECT count(*) FROM certificate WHERE state = 'issued' AND "
                                "operation = 'simpleenroll'"),
            std::to_string(kClients * kEach));
}

TEST_F(TokenCalls, ARepeatedRequestIsAnsweredWithoutTheToken_EST_4_2_3_f) {
  const std::string repeated = request("device-1");
  auto client = connect();
  client->send(repeated);
  const test::HttpAnswer first = client->read_answer();
  ASSERT_EQ(first.status, 200) << first.body;
  const std::uint64_t after_first = counters_->sign.calls;

  client->send(repeated);
  const test::HttpAnswer same_connection = client->read_answer();
  EXPECT_EQ(same_connection.status, 200);
  EXPECT_EQ(same_connection.body, first.body);
  client = connect();
  client->send(repeated);
  EXPECT_EQ(client->read_answer().body, first.body);
  EXPECT_EQ(counters_->sign.calls, after_first);

  client->send(request("device-2"));
  EXPECT_EQ(client->read_answer().status, 200);
  EXPECT_EQ(counters_->sign.calls, after_first + 1);
  client.reset();
  EXPECT_EQ(server_->stop(), 0) << server_->err();
}

/// Whoever gave up waiting for primes has no use for a certificate, and may ask again.
TEST_F(TokenCalls, AClientThatIsGoneWhenItsKeyIsMadeGetsNothing) {
  EXPECT_EQ(server_->stop(), 0) << server_->err();
  installation_.allow_serverkeygen();
  server_ = std::make_unique<EstiadProcess>(installation_);
  counters_->hold_rsa_generation = true;
  auto client = connect();
  client->send(request("left-1", "serverkeygen", "RSA-2048"));
  while (counters_->rsa_generations == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  client.reset();
  counters_->hold_rsa_generation = false;
  while (server_->err().find("serverkeygen.client_gone") == std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(server_->stop(), 0) << server_->err();
  EXPECT_EQ(
      installation_.query("SELECT count(*) FROM certificate WHERE operation = 'serverkeygen'"),
      "0");
  EXPECT_EQ(installation_.query("SELECT count(*) FROM audit WHERE what = 'request.refused' AND "
                                "outcome = 'serverkeygen.client_gone'"),
            "1");
  EXPECT_EQ(server_->err().find("level=error"), std::string::npos) << server_->err();
}

/// SoftHSM looks for the primes of an RSA-4096 pair for minutes: a stop does not.
TEST_F(TokenCalls, AStopDoesNotWaitForAPairInAdvance) {
  EXPECT_EQ(server_->stop(), 0) << server_->err();
  // It ends with a thread inside the token, which is what is tested.
  const char* const options = std::getenv("TSAN_OPTIONS");
  installation_.add_environment("TSAN_OPTIONS=" + std::string(options == nullptr ? "" : options) +
                                ":report_thread_leaks=0");
  std::ofstream(installation_.state() / "estia.toml", std::ios::app)
      << "[serverkeygen]\nstock_rsa_2048 = 1\n";
  counters_->hold_rsa_generation = true;
  server_ = std::make_unique<EstiadProcess>(installation_);
  while (counters_->rsa_generations == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(enroll("device-", 1), 1);
  EXPECT_EQ(server_->stop(), 0) << server_->err();
  EXPECT_EQ(counters_->rsa_generations, 1U) << "it ended inside";
  EXPECT_NE(server_->err().find("event=daemon.stopped"), std::string::npos) << server_->err();
  counters_->hold_rsa_generation = false;
  server_ = std::make_unique<EstiadProcess>(installation_);  // the store is whole
  EXPECT_EQ(server_->stop(), 0) << server_->err();
}

}  // namespace
}  // namespace estia::e2e
