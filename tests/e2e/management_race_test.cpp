// SPDX-License-Identifier: Apache-2.0
// Changes of the configuration beside requests, other changes, and kill -9.
#include <signal.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/e2e/support/management_fixture.h"

namespace estia::e2e {
namespace {

TEST_F(Management, OfSeveralChangesOfOneVersionOneWins) {
  const std::string good = exported();
  json body{{"document", replaced(good, "validity = \"365d\"", "validity = \"30d\"")},
            {"replaces", 1}};
  std::vector<std::unique_ptr<Child>> rivals;
  std::vector<std::filesystem::path> outs;
  for (int i = 0; i < 6; ++i) {
    body["document"] =
        replaced(good, "validity = \"365d\"", "validity = \"" + std::to_string(30 + i) + "d\"");
    const std::filesystem::path file = client->new_file(".json");
    write_new_file(file, body.dump(), FileMode::secret);
    outs.push_back(client->new_file(".out"));
    rivals.push_back(std::make_unique<Child>(
        Child::Command{.arguments = {"curl", "-q", "-sS", "--unix-socket", socket(), "--max-time",
                                     "40", "-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}",
                                     "-H", "Content-Type: application/json", "--data-binary",
                                     "@" + file.string(), "http://localhost/v1/configuration"},
                       .out = outs.back(),
                       .err = client->new_file(".err")}));
  }
  std::multiset<std::string> statuses;
  for (std::size_t i = 0; i < rivals.size(); ++i) {
    ASSERT_EQ(rivals[i]->wait(std::chrono::minutes(1)), 0);
    statuses.insert(read_file(outs[i]));
  }
  EXPECT_EQ(statuses, (std::multiset<std::string>{"200", "409", "409", "409", "409", "409"}));
  EXPECT_EQ(version(), 2U);
  const auto [status, answer] = manage("PUT", "/configuration", body);
  EXPECT_EQ(status, 409);
  EXPECT_EQ(answer.at("id"), "config.version");
}

TEST_F(Management, WhatWasAppliedSurvivesKill9) {
  ASSERT_EQ(apply(with_factory()).code, 0);
  server->child().signal(SIGKILL);
  EXPECT_EQ(server->child().wait(std::chrono::seconds(20)), -SIGKILL);
  EXPECT_TRUE(std::filesystem::is_socket(socket())) << "left behind";
  start();
  EXPECT_EQ(version(), 2U);
  EXPECT_EQ(enroll_at_factory("/CN=made-1").status, 200);
}

TEST_F(Management, NobodyIsRefusedWhileTheConfigurationChanges) {
  // Each request is signed anew, none is answered from the store.
  const std::string one = replaced(exported(), "retry_window = \"2m\"", "retry_window = \"0s\"");
  ASSERT_EQ(apply(one).code, 0);
  const std::string other = with_factory();
  Device device = client->make_device("/CN=device-1");
  client->enroll(device);
  const std::string csr = EstClient::csr_base64(device);
  std::atomic<bool> done = false;
  std::atomic<int> served = 0;
  std::mutex mutex;
  std::string failures;
  const auto keep_asking = [&] {
    OpenConnection open(installation, *server, device);
    for (bool first = true; !done; first = false) {
      const Answer certificates = open.get("cacerts");
      const Answer renewed = open.post("simplereenroll", csr);
      const int connections = certificates.connections + renewed.connections;
      if (certificates.status != 200 || renewed.status != 200 || connections != (first ? 1 : 0)) {
        const std::lock_guard lock(mutex);
        failures += std::to_string(certificates.status) + " " + std::to_string(renewed.status) +
                    " " + renewed.body + renewed.error + "\n";
      }
      ++served;
    }
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(keep_asking);
  }
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(apply(i % 2 == 0 ? other : one).code, 0);
  }
  done = true;
  for (std::thread& thread : clients) {
    thread.join();
  }
  EXPECT_EQ(failures, "");
  EXPECT_GT(served, 8);
  EXPECT_EQ(version(), 10U);
}

TEST_F(Management, AKillAtAnyMomentLeavesAWholeConfigurationInForce) {
  const std::string good = exported();
  std::uint64_t at_least = 1;
  for (int round = 0; round < 6; ++round) {
    const std::filesystem::path file = client->new_file(".json");
    const std::filesystem::path out = client->new_file(".out");
    write_new_file(
        file,
        json{{"document", replaced(good, "validity = \"365d\"",
                                   "validity = \"" + std::to_string(30 + round) + "d\"")}}
            .dump(),
        FileMode::secret);
    Child curl(
        {.arguments = {"curl", "-q", "-s", "-S", "--unix-socket", socket(), "-X", "PUT", "-H",
                       "Content-Type: application/json", "--data-binary", "@" + file.string(), "-o",
                       "/dev/null", "-w", "%{http_code}", "http://localhost/v1/configuration"},
         .out = out,
         .err = client->new_file(".err")});
    if (round % 2 == 0) {
      static_cast<void>(client->request("cacerts"));  // some time passes
    }
    server->child().signal(SIGKILL);
    EXPECT_EQ(server->child().wait(std::chrono::seconds(20)), -SIGKILL);
    ASSERT_TRUE(curl.wait(std::chrono::minutes(1)));
    const bool answered = read_file(out) == "200";
    start();
    const std::uint64_t now = version();
    EXPECT_GE(now, at_least + (answered ? 1U : 0U)) << "round " << round;
    EXPECT_EQ(client->request("cacerts").status, 200);
    at_least = now;
  }
}

}  // namespace
}  // namespace estia::e2e
