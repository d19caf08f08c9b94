// SPDX-License-Identifier: Apache-2.0
// The token is behind a wire, and whatever is at the other end goes away.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"
#include "tests/fault/support/load.h"
#include "tests/fault/support/store_view.h"
#include "tests/fault/support/token_server.h"
#include "tests/support/p11_counters.h"

namespace estia::fault {
namespace {

class RemoteToken : public testing::Test {
 protected:
  /// The keys are made in the token directly, as in a ceremony; then it moves behind the wire.
  RemoteToken() {
    installation_.replace_module(ESTIA_P11_SHIM);
    installation_.add_environment("ESTIA_P11_REAL=" + TokenServer::client_module().string());
    installation_.add_environment(std::string(test::kP11CountersFile) + "=" +
                                  counters_file_.string());
    installation_.add_environment(TokenServer::environment(installation_));
    token_ = std::make_unique<TokenServer>(installation_);
    server_ = std::make_unique<e2e::EstiadProcess>(installation_);
  }

  /// Waits until every client was refused. p11-kit 0.24 can forget to wake the threads that wait
  /// for an answer when its peer goes: returns how many requests it keeps, which must be in its
  /// calls.
  [[nodiscard]] std::size_t wait_until_refused_or_kept(Load& load, std::size_t clients) {
    if (load.log().wait_refused(clients, std::chrono::seconds(15))) {
      return 0;
    }
    const std::size_t kept = load.log().in_flight();
    EXPECT_EQ(load.log().refused().size() + kept, clients);
    EXPECT_EQ(counters_->inside, kept) << "requests wait, but not for the module";
    std::cout << "[ NOTE     ] the module keeps " << kept << " calls for ever\n";
    return kept;
  }

  [[nodiscard]] bool server_lives() { return !server_->child().wait(std::chrono::seconds(0)); }

  e2e::Installation installation_;
  const std::filesystem::path counters_file_ = installation_.directory() / "p11-counters";
  test::P11CountersFile counters_{counters_file_, test::P11CountersFile::Open::create};
  std::unique_ptr<TokenServer> token_;
  std::unique_ptr<e2e::EstiadProcess> server_;
};

TEST_F(RemoteToken, EnrolsAndWhenItGoesEnrolmentIs503AndTheRestLives) {
  auto client = std::make_unique<e2e::EstClient>(installation_, *server_);
  e2e::Device device = client->make_device("/CN=before");
  client->enroll(device);
  ASSERT_GT(token_->processes(), 1U) << "estiad's connection has a process of its own";
  token_->kill();

  const e2e::Device late = client->make_device("/CN=after");
  const auto enroll = [&] {
    return client->post("simpleenroll", e2e::EstClient::csr_base64(late), client->as_ra());
  };
  for (int i = 0; i < 3; ++i) {
    const e2e::Answer refused = enroll();
    EXPECT_EQ(refused.status, 503) << refused.body << refused.error;
    EXPECT_NE(refused.header("Retry-After"), "");
    EXPECT_EQ(client->request("cacerts").status, 200);
  }
  EXPECT_EQ(client
                ->post("simplereenroll", e2e::EstClient::csr_base64(device),
                       e2e::EstClient::as_device(device))
                .status,
            503);
  EXPECT_EQ(client->post("simpleenroll", "no request", client->as_ra()).status, 400)
      << "what needs no token is judged as ever";
  EXPECT_TRUE(server_lives());
  EXPECT_EQ(server_->stop(), 0) << server_->err();
  EXPECT_EQ(installation_.query("SELECT count(*) FROM certificate WHERE state = 'intended'"), "0");
  EXPECT_EQ(installation_.query("SELECT count(*) FROM certificate WHERE state = 'issued' AND "
                                "operation <> 'init'"),
            "1");

  token_ = std::make_unique<TokenServer>(installation_);
  server_ = std::make_unique<e2e::EstiadProcess>(installation_);
  client = std::make_unique<e2e::EstClient>(installation_, *server_);
  EXPECT_EQ(enroll().status, 200) << "the names of refused requests are free";
  EXPECT_EQ(server_->stop(), 0);
}

/// An HSM in the network that restarts, again and again: the same process takes it up each time.
TEST_F(RemoteToken, IsTakenUpEachTimeItIsBack) {
  const int rounds = std::getenv("ESTIA_TEST_FULL") != nullptr ? 100 : 5;
  const e2e::EstClient client(installation_, *server_);
  const auto enroll = [&](const std::string& name) {
    return client
        .post("simpleenroll", e2e::EstClient::csr_base64(client.make_device("/CN=" + name)),
              client.as_ra())
        .status;
  };
  std::chrono::steady_clock::duration longest{};
  for (int i = 0; i < rounds; ++i) {
    const std::string round = std::to_string(i);
    EXPECT_EQ(enroll("before-" + round), 200);
    token_->kill();
    EXPECT_EQ(enroll("away-" + round), 503);
    token_ = std::make_unique<TokenServer>(installation_);
    const auto back = std::chrono::steady_clock::now();
    int attempts = 0;
    while (enroll("back-" + round + "-" + std::to_string(++attempts)) != 200) {
      ASSERT_LT(attempts, 600);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    longest = std::max(longest, std::chrono::steady_clock::now() - back);
  }
  std::cout << "[ FIGURES  ] " << rounds << " restarts; served again at most "
            << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
            << " ms after it was back (goal: 5000)\n";
  EXPECT_TRUE(server_lives());
  EXPECT_EQ(server_->stop(), 0) << server_->err();
}

TEST_F(RemoteToken, GoingDuringEnrolmentLeavesNoRequestUnansweredAndNoRowUnexplained) {
  constexpr std::size_t kClients = 16;
  Load load(kClients, installation_.user() + ":" + installation_.password());
  const int life = load.open(server_->port());
  load.log().wait_delivered(life, 50);
  token_->kill();
  const std::size_t kept = wait_until_refused_or_kept(load, kClients);
  EXPECT_TRUE(server_lives());
  if (kept == 0) {
    load.finish();
    EXPECT_EQ(server_->stop(), 0) << server_->err();
  } else {  // nothing but the end of the process ends such a call
    server_->child().signal(SIGKILL);
    EXPECT_EQ(server_->child().wait(std::chrono::seconds(20)), -SIGKILL);
    load.finish();
  }

  EXPECT_EQ(load.log().lost_connections(), kept);
  std::set<std::string> refused;
  for (const Refused& one : load.log().refused()) {
    EXPECT_EQ(one.status, 503);
    EXPECT_NE(one.retry_after, "");
    refused.insert(one.name);
  }
  const StoreView store(installation_);
  const std::vector<Delivered> delivered = load.log().delivered();
  store.expect_all_delivered_recorded(delivered);
  store.expect_one_certificate_per_name();
  store.expect_everything_explained(load.log());
  EXPECT_EQ(store.count("issued"), delivered.size());
  EXPECT_EQ(store.count("intended"), kept) << "the module said of the others: nothing was signed";
  for (const std::string& name : store.names("failed")) {
    EXPECT_TRUE(refused.contains(name)) << name;
  }
}

}  // namespace
}  // namespace estia::fault
