// SPDX-License-Identifier: Apache-2.0
// T3, T12: what a token can do to estiad while clients enrol through real TLS. Nothing wrong is
// delivered, nothing delivered is lost, and the process goes on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "hsm/faults/client.h"
#include "hsm/key_uri.h"
#include "tests/e2e/support/est_client.h"
#include "tests/fault/support/load.h"
#include "tests/fault/support/store_view.h"

namespace estia::fault {
namespace {

constexpr std::size_t kClients = 16;

bool full() {
  return std::getenv("ESTIA_TEST_FULL") != nullptr;
}

class RecoveryUnderLoad : public testing::Test {
 protected:
  RecoveryUnderLoad() {
    installation_.replace_module(ESTIA_FAULT_MODULE);
    installation_.add_environment("ESTIA_FAULTS_MODULE=" + e2e::softhsm_module());
    installation_.add_environment("ESTIA_FAULTS_SOCKET=" + socket_.string());
    server_ = std::make_unique<e2e::EstiadProcess>(installation_);
    load_ = std::make_unique<Load>(kClients, installation_.user() + ":" + installation_.password(),
                                   Load::Refused::goes_on);
    life_ = load_->open(server_->port());
    wait_for_more(50);
  }

  void order(const std::string& line) const {
    const auto answer = hsm::faults::Client(socket_).ask(line);
    ASSERT_TRUE(answer.ok) << line << ": " << answer.text;
  }
  [[nodiscard]] std::size_t refused() const { return load_->log().refused().size(); }
  [[nodiscard]] std::size_t delivered() const { return load_->log().delivered().size(); }
  /// Throws when they do not come within half a minute.
  void wait_for_more(std::size_t certificates) const {
    load_->log().wait_delivered(life_, delivered() + certificates);
  }
  [[nodiscard]] std::string status() const {
    return installation_.estia({"status", "--json", "--state", installation_.state().string()}).out;
  }
  /// "new_login" and so on, of estia status.
  [[nodiscard]] unsigned long rung(const std::string& name) const {
    const std::string told = status();
    const std::string key = "\"" + name + "\": ";
    const std::size_t at = told.find(key);
    EXPECT_NE(at, std::string::npos) << told;
    return std::stoul(told.substr(at + key.size()));
  }

  /// By somebody with the PIN: the same names, another key.
  void replace_ca_key() const {
    const std::string told = status();
    const std::size_t at = told.find("pkcs11:");
    ASSERT_NE(at, std::string::npos) << told;
    const hsm::KeyUri uri = hsm::KeyUri::parse(told.substr(at, told.find('"', at) - at));
    const auto tool = [&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), {"pkcs11-tool", "--module", e2e::softhsm_module(),
                                           "--token-label", installation_.token_label(), "--login",
                                           "--pin", installation_.pin(), "--id", to_hex(uri.id())});
      const e2e::Finished done =
          e2e::run(arguments, installation_.directory(), installation_.environment());
      ASSERT_EQ(done.code, 0) << done.err;
    };
    tool({"--delete-object", "--type", "privkey"});
    tool({"--delete-object", "--type", "pubkey"});
    tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", uri.object()});
  }

  /// What each test ends with. `open`: certificates that were signed, nobody knows how, and never
  /// delivered; they count as issued (D5).
  void expect_nothing_wrong(std::size_t open = 0) {
    std::cout << "[ FIGURES  ] " << delivered() << " delivered, " << refused() << " refused; "
              << rung("new_session") << " new sessions, " << rung("new_login") << " logins, "
              << rung("restart_module") << " restarts\n";
    load_->finish();
    EXPECT_FALSE(server_->child().wait(std::chrono::seconds(0))) << "the process went on";
    EXPECT_EQ(server_->stop(), 0) << server_->err();
    for (const Refused& one : load_->log().refused()) {
      EXPECT_EQ(one.status, 503);
      EXPECT_NE(one.retry_after, "");
    }
    const StoreView store(installation_);
    store.expect_all_delivered_recorded(load_->log().delivered());
    store.expect_one_certificate_per_name();
    store.expect_everything_explained(load_->log());
    EXPECT_EQ(store.count("intended"), open);
  }

  e2e::Installation installation_;
  const std::filesystem::path socket_ = installation_.directory() / "faults.sock";
  std::unique_ptr<e2e::EstiadProcess> server_;
  std::unique_ptr<Load> load_;
  int life_ = 0;
};

/// What another user of the module can do at any moment (hsm-facts: by another user). Running calls
/// end before it, since SoftHSM itself crashes otherwise.
TEST_F(RecoveryUnderLoad, WhatAnotherUserDoesIsHidden) {
  const int rounds = full() ? 100 : 5;
  unsigned long logins = rung("new_login");
  unsigned long restarts = rung("restart_module");
  for (int i = 0; i < rounds; ++i) {
    for (const char* call : {"C_CloseAllSessions", "C_Logout", "C_Finalize"}) {
      SCOPED_TRACE(call);
      order("hold");
      order(std::string("real ") + call);
      order("resume");
      wait_for_more(20);
      const bool finalized = std::string(call) == "C_Finalize";
      EXPECT_EQ(rung("new_login"), logins += finalized ? 0 : 1);
      EXPECT_EQ(rung("restart_module"), restarts += finalized ? 1 : 0);
    }
  }
  EXPECT_EQ(refused(), 0U);
  expect_nothing_wrong();
}

TEST_F(RecoveryUnderLoad, SessionsThatAreKilledAreHidden) {
  const std::size_t count = full() ? 10'000 : 60;
  const std::size_t every = full() ? 10 : 50;  // one that meets three of them in a row is refused
  order("fail C_SignInit CKR_SESSION_HANDLE_INVALID every=" + std::to_string(every) +
        " count=" + std::to_string(count));
  for (std::size_t i = 0; i < count * every; i += 500) {
    wait_for_more(500);
  }
  EXPECT_GE(rung("new_session"), count / 2);
  if (full()) {
    const auto served = static_cast<double>(delivered());
    std::cout << "[ FIGURES  ] served of all: "
              << served / (served + static_cast<double>(refused())) << " (goal: .999)\n";
  } else {
    EXPECT_EQ(refused(), 0U);
  }
  expect_nothing_wrong();
}

/// An HSM that restarts: refused at once while it is away, served again once it is back.
TEST_F(RecoveryUnderLoad, ATokenThatGoesAndComesBackIsTakenUp) {
  const int rounds = full() ? 100 : 5;
  const unsigned long restarts = rung("restart_module");
  std::chrono::steady_clock::duration longest{};
  for (int i = 0; i < rounds; ++i) {
    const std::size_t before = refused();
    order("fail * CKR_TOKEN_NOT_PRESENT count=for-ever");
    ASSERT_TRUE(load_->log().wait_refused(before + 2 * kClients, std::chrono::seconds(60)));
    order("clear");
    const auto back = std::chrono::steady_clock::now();
    wait_for_more(1);
    longest = std::max(longest, std::chrono::steady_clock::now() - back);
    wait_for_more(50);
    const std::size_t after = refused();
    wait_for_more(100);
    EXPECT_EQ(refused(), after) << "none once it is back";
  }
  std::cout << "[ FIGURES  ] served again at most "
            << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count()
            << " ms after it was back (goal: 5000)\n";
  EXPECT_EQ(rung("restart_module") - restarts, static_cast<unsigned long>(rounds));
  expect_nothing_wrong();
}

/// An HSM that comes back with another key under the same CKA_ID and label, and then with the right
/// one.
TEST_F(RecoveryUnderLoad, ATokenThatComesBackWithAnotherKeySignsNothing) {
  const auto tokens = installation_.directory() / "tokens";
  const auto kept = installation_.directory() / "kept";
  const auto while_away = [&](const std::function<void()>& change) {
    order("fail * CKR_TOKEN_NOT_PRESENT count=for-ever");
    while (status().find("\"state\": \"away\"") == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    change();
    order("clear");
  };
  const unsigned long restarts = rung("restart_module");
  while_away([&] {
    std::filesystem::copy(tokens, kept, std::filesystem::copy_options::recursive);
    replace_ca_key();
  });
  ASSERT_TRUE(load_->log().wait_refused(refused() + kClients, std::chrono::seconds(60)));
  const std::size_t before = delivered();
  ASSERT_TRUE(load_->log().wait_refused(refused() + 10 * kClients, std::chrono::seconds(60)));
  EXPECT_EQ(delivered(), before);
  EXPECT_NE(status().find("token.key_changed"), std::string::npos) << status();
  EXPECT_NE(server_->err().find("event=token.key_refused"), std::string::npos);
  while_away([&] {
    std::filesystem::remove_all(tokens);
    std::filesystem::rename(kept, tokens);
  });
  wait_for_more(50);
  EXPECT_NE(server_->err().find("event=token.key_found"), std::string::npos);
  EXPECT_EQ(rung("restart_module"), restarts + 2);
  expect_nothing_wrong();
}

/// T3: every one is caught.
TEST_F(RecoveryUnderLoad, WrongSignaturesAreNeverDelivered) {
  const std::size_t before = refused();
  order("corrupt-signature every=20");
  ASSERT_TRUE(load_->log().wait_refused(before + (full() ? 100 : 10), std::chrono::seconds(300)));
  order("clear");
  wait_for_more(50);
  EXPECT_GE(rung("new_login"), 2U) << "the key is not trusted as it was found";
  expect_nothing_wrong(refused());
}

/// T3: good signatures, by the root's key, which is in the same token.
TEST_F(RecoveryUnderLoad, SignaturesByAnotherKeyAreNeverDelivered) {
  const std::string configuration =
      installation_.estia({"config", "export", "--state", installation_.state().string()}).out;
  const std::size_t at = configuration.find("estia-root-");
  ASSERT_NE(at, std::string::npos);
  const std::string label = configuration.substr(at, std::string("estia-root-").size() + 8);
  const std::size_t before = refused();
  order("sign-with-other label=" + label + " every=20");
  ASSERT_TRUE(load_->log().wait_refused(before + (full() ? 100 : 10), std::chrono::seconds(300)));
  order("clear");
  wait_for_more(50);
  expect_nothing_wrong();
}

/// T14, as far as it goes: calls that hang hold their own requests and nobody else's.
TEST_F(RecoveryUnderLoad, CallsThatHangKeepNobodyElseWaiting) {
  order("hang C_Sign count=4");
  order("wait C_Sign 4");
  wait_for_more(100);
  order("release C_Sign");
  wait_for_more(100);
  EXPECT_EQ(refused(), 0U);
  expect_nothing_wrong();
}

/// A token that allows four sessions serves sixteen clients.
TEST_F(RecoveryUnderLoad, FewSessionsAreWaitedFor) {
  order("session-cap 4");
  order("hold");
  order("real C_CloseAllSessions");
  order("resume");
  wait_for_more(200);
  EXPECT_EQ(refused(), 0U);
  order("session-cap none");
  expect_nothing_wrong();
}

}  // namespace
}  // namespace estia::fault
