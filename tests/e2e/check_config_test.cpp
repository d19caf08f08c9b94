// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/base/file.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {
namespace {

class CheckConfig : public testing::Test {
 protected:
  Finished check() const { return run_estiad(installation, {"--check-config"}); }
  /// The one line on stderr; the exit code must be 1.
  std::string fault() const {
    const Finished finished = check();
    EXPECT_EQ(finished.code, 1) << finished.out;
    EXPECT_EQ(finished.out, "");
    return finished.err;
  }
  std::filesystem::path file() const { return installation.state() / "estia.toml"; }

  const Installation installation;
};

TEST_F(CheckConfig, SaysOkAndLeavesEverythingAsItIs) {
  const std::string rows = installation.query("SELECT count(*) FROM audit");
  const Finished finished = check();
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.out, "ok " + file().string() + "\n");
  EXPECT_EQ(installation.query("SELECT count(*) FROM audit"), rows);
}

TEST_F(CheckConfig, WorksBesideARunningDaemon) {
  EstiadProcess server(installation);
  const Finished finished = check();
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_NE(finished.out.find("store not checked"), std::string::npos);
  EXPECT_EQ(server.stop(), 0);
}

TEST_F(CheckConfig, NamesFileLineKeyAndReasonOfAnUnknownKey) {
  const std::string original = read_file(file());
  replace_file(file(), "[listner.est]\n" + original, FileMode::secret);
  EXPECT_NE(fault().find(file().string() + ":1: listner: unknown key"), std::string::npos);
  const Finished start = run_estiad(installation, {"--port", "0"});
  EXPECT_EQ(start.code, 1);
  EXPECT_NE(start.err.find("listner: unknown key"), std::string::npos) << start.err;
}

TEST_F(CheckConfig, FindsSecretsThatOthersCanRead) {
  ASSERT_EQ(::chmod((installation.directory() / "pin").c_str(), 0644), 0);
  EXPECT_NE(fault().find("file.secret_mode"), std::string::npos);
  ASSERT_EQ(::chmod((installation.directory() / "pin").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((installation.state() / "tls/server.key").c_str(), 0640), 0);
  EXPECT_NE(fault().find("file.secret_mode"), std::string::npos);
}

TEST_F(CheckConfig, FindsATlsKeyOfAnotherCertificate) {
  run_ok({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
          (installation.directory() / "other.key").string()},
         installation.directory());
  replace_file(installation.state() / "tls/server.key",
               read_file(installation.directory() / "other.key"), FileMode::secret);
  EXPECT_NE(fault().find("tls.key_mismatch"), std::string::npos);
}

TEST_F(CheckConfig, FindsABrokenStore) {
  installation.tamper("DELETE FROM audit WHERE sequence = 1");
  EXPECT_NE(fault().find("store.audit_chain_broken"), std::string::npos);
}

}  // namespace
}  // namespace estia::e2e
