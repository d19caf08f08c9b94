// SPDX-License-Identifier: Apache-2.0
// Several tokens at the start.
#include "server/app/tokens.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "server/app/monitoring.h"
#include "tests/support/shim.h"
#include "tests/support/token_fixture.h"

namespace estia::app {
namespace {

/// What is told of them is not looked at here.
class AnyAudit final : public ca::AuditLog {
 public:
  void append(const ca::AuditEvent&) override {}
  void append(const std::vector<ca::AuditEvent>&) override {}
};

/// Found in review: one was waited for after the other, each for as long as it was silent.
TEST(TokensAtTheStart, AreWaitedForAtTheSameTime) {
  const test::TokenDir dir = test::make_tokens({"one", "two"});
  dir.use();
  const test::Shim shim(dir.module);
  const auto token = [&](const char* label) {
    ProcessConfig::Token wanted;
    wanted.module = test::Shim::path();
    wanted.label = label;
    wanted.pin_file = dir.pin_file;
    return wanted;
  };
  ProcessConfig config;
  config.token = token("one");
  config.tokens.emplace("two", token("two"));
  AnyAudit audit;
  const SystemClock clock;
  TokenEvents events(audit, clock);
  shim.close_gate("C_Login");
  auto start = std::async(std::launch::async,
                          [&] { return std::make_unique<Tokens>(config, events, BroughtPins()); });
  shim.wait_in_flight("C_Login", 2);
  shim.open_gate("C_Login");
  const auto tokens = start.get();
  EXPECT_TRUE(tokens->named(Tokens::kMain).probe().logged_in);
  EXPECT_TRUE(tokens->named("two").probe().logged_in);
}

/// Found in review: an order that was carried out was answered with what had been seen before it.
TEST(TokenProbe, TellsNothingThatWasSeenBeforeAnOrder) {
  const test::TokenDir dir = test::make_token();
  dir.use();
  const test::Shim shim(dir.module);
  hsm::TokenConfig config = dir.config();
  config.module = test::Shim::path();
  TokenProbe probe(hsm::Token::open(config));
  while (!probe.look()) {  // a slow machine
  }
  shim.close_gate("C_GetSessionInfo");
  probe.look_anew();
  EXPECT_FALSE(probe.look()) << "it hangs";
  probe.look_anew();  // that one is out, and began before
  shim.open_gate("C_GetSessionInfo");
  while (!probe.look()) {
  }
  EXPECT_TRUE(probe.look()->logged_in);
}

}  // namespace
}  // namespace estia::app
