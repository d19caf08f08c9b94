// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

TEST(Daemon, PrintsOneReadyLineAndStopsCleanly) {
  const Installation installation;
  EstiadProcess server(installation);
  EXPECT_EQ(server.out(), "ready est https://127.0.0.1:" + server.port() +
                              " pid=" + std::to_string(server.child().pid()) + "\n");
  EXPECT_EQ(server.stop(), 0);
  const std::string out = server.out();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << out;
  EXPECT_EQ(installation.query("SELECT group_concat(what) FROM (SELECT what FROM audit WHERE what "
                               "LIKE 'daemon.%' ORDER BY sequence)"),
            "daemon.started,daemon.stopped");
  EstiadProcess again(installation);
  again.child().signal(SIGINT);
  EXPECT_EQ(again.child().wait(std::chrono::seconds(40)), 0);
}

TEST(Daemon, ASecondOneAndOfflineCommandsAreKeptOut_D1) {
  const Installation installation;
  EstiadProcess server(installation);
  const Finished second = run_estiad(installation, {"--port", "0"});
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.err.find("state.locked"), std::string::npos) << second.err;
  EXPECT_EQ(second.out, "");
  EXPECT_NE(
      installation.estia({"revoke", "--state", installation.state().string(), "--serial", "01"})
          .code,
      0);
  EXPECT_EQ(server.stop(), 0);
}

TEST(Daemon, MisuseIs2AndFailureIs1WithOneLine) {
  const Installation installation;
  const std::filesystem::path scratch = installation.directory();
  EXPECT_EQ(run({program("estiad")}, scratch).code, 2);
  EXPECT_EQ(run_estiad(installation, {"--prot", "1"}).code, 2);
  EXPECT_EQ(run_estiad(installation, {"--port", "70000"}).code, 2);
  EXPECT_EQ(run({program("estiad"), "--version"}, scratch).code, 0);
  const Finished nowhere =
      run({program("estiad"), "--state", (scratch / "nowhere").string()}, scratch);
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_EQ(std::count(nowhere.err.begin(), nowhere.err.end(), '\n'), 1) << nowhere.err;
  EXPECT_NE(nowhere.err.find("nowhere"), std::string::npos);
}

TEST(Daemon, ATakenPortIsNamed) {
  const Installation first;
  const Installation second;
  EstiadProcess server(first);
  const Finished refused = run_estiad(second, {"--port", server.port()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find(server.port()), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("http.bind"), std::string::npos) << refused.err;
}

TEST(Daemon, AChangedAuditRowStopsTheStart) {
  const Installation installation;
  EXPECT_NE(installation.query("SELECT count(*) FROM audit"), "0");
  installation.tamper("UPDATE audit SET who = 'somebody else' WHERE sequence = 2");
  const Finished refused = run_estiad(installation, {"--port", "0"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("store.audit_chain_broken"), std::string::npos) << refused.err;
}

TEST(Daemon, HasNoTestSeams) {
  const std::string binary = read_file(program("estiad"), 512U << 20U);
  for (const char* seam : {"gtest", "FakeClock", "fake_clock", "FaultPoint", "fault_point",
                           "ESTIA_TEST", "ESTIA_FAULT", "FixedClock"}) {
    EXPECT_EQ(binary.find(seam), std::string::npos) << seam;
  }
}

}  // namespace
}  // namespace estia::e2e
