// SPDX-License-Identifier: Apache-2.0
// What orders to a running estiad tell of a token that hangs, and what log and audit trail have.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "crypto/base/file.h"
#include "hsm/faults/client.h"
#include "tests/e2e/support/estiad_process.h"

namespace estia::e2e {
namespace {

class HangingOrders : public testing::Test {
 protected:
  HangingOrders() {
    installation_.replace_module(ESTIA_FAULT_MODULE);
    installation_.add_environment("ESTIA_FAULTS_MODULE=" + softhsm_module());
    installation_.add_environment("ESTIA_FAULTS_SOCKET=" + socket_.string());
  }
  void order(const std::string& line) const {
    const auto answer = hsm::faults::Client(socket_).ask(line);
    ASSERT_TRUE(answer.ok) << answer.text;
  }
  [[nodiscard]] Finished estia(const std::string& what) const {
    return run({program("estia"), "token", what, "--state", installation_.state().string()},
               installation_.directory(), installation_.environment());
  }
  void wait_logged(const std::string& text) const {
    while (server_->err().find(text) == std::string::npos) {  // ctest's limit ends this
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  void let_go() const {
    order("clear");
    order("release");
  }

  Installation installation_;
  const std::filesystem::path socket_ = installation_.directory() / "faults.sock";
  std::unique_ptr<EstiadProcess> server_;
};

/// Found in review: the log had nothing until the call was back, and then that it was proved.
TEST_F(HangingOrders, AProbeIsLoggedAsItWasAnswered) {
  server_ = std::make_unique<EstiadProcess>(installation_);
  order("hang C_Sign count=for-ever");
  const Finished probed = estia("probe");
  EXPECT_EQ(probed.code, 1) << probed.out;
  EXPECT_NE(probed.out.find("ca\tissuing\ttoken.no_answer\t"), std::string::npos) << probed.out;
  wait_logged("event=token.proved ca=issuing id=token.no_answer");
  let_go();
  wait_logged("event=token.proved_late ca=issuing");
  EXPECT_EQ(server_->err().find("event=token.proved ca=issuing id=ok"), std::string::npos);
  EXPECT_EQ(server_->stop(), 0);
}

/// Found in review: it was "PIN refused", as had been seen before the order.
TEST_F(HangingOrders, WhatATokenWasBeforeALoginIsNotToldAfterIt) {
  const std::string right = read_file(installation_.pin_file());
  replace_file(installation_.pin_file(), "wrong-pin\n", FileMode::secret);
  server_ = std::make_unique<EstiadProcess>(installation_);
  const Finished before = estia("status");
  EXPECT_NE(before.out.find("PIN refused"), std::string::npos) << before.out << before.err;
  replace_file(installation_.pin_file(), right, FileMode::secret);
  order("hang C_Sign count=for-ever");
  const Finished activated = estia("activate");
  EXPECT_EQ(activated.code, 0) << activated.err;
  EXPECT_EQ(activated.out.find("PIN refused"), std::string::npos) << activated.out;
  let_go();
  EXPECT_EQ(server_->stop(), 0);
}

}  // namespace
}  // namespace estia::e2e
