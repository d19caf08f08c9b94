// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

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

TEST_F(CheckConfig, FindsAWayToSignThatIsNotThere) {
  installation.add_to_token("signing = \"pkcs11-provider\"\n");
  ::setenv("PKCS11_PROVIDER_MODULE", "/nowhere.so", 1);
  EXPECT_NE(fault().find("token.signing_unavailable"), std::string::npos);
  ::unsetenv("PKCS11_PROVIDER_MODULE");
}

TEST_F(CheckConfig, FindsSecretsThatOthersCanRead) {
  ASSERT_EQ(::chmod((installation.directory() / "pin").c_str(), 0644), 0);
  EXPECT_NE(fault().find("file.secret_mode"), std::string::npos);
  ASSERT_EQ(::chmod((installation.directory() / "pin").c_str(), 0600), 0);
  ASSERT_EQ(::chmod((installation.state() / "tls/server.key").c_str(), 0640), 0);
  EXPECT_NE(fault().find("file.secret_mode"), std::string::npos);
}

/// Found in review: it said ok where the credential was missing.
TEST_F(CheckConfig, FindsAMissingCredentialWhereThereAreCredentials) {
  std::string text = read_file(file());
  const auto at = text.find("pin_file");
  text.replace(at, text.find('\n', at) - at, "pin_credential = \"token-pin\"");
  replace_file(file(), text, FileMode::secret);
  ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
  EXPECT_EQ(check().code, 0) << "by hand there are none";
  ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", installation.directory().c_str(), 1), 0);
  const std::filesystem::path credential = installation.directory() / "token-pin";
  EXPECT_NE(fault().find(credential.string()), std::string::npos);
  write_new_file(credential, "1234\n", FileMode::secret);
  EXPECT_EQ(check().code, 0);
  ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/// The message names the path, its mode and the command, for the check and for the start alike.
TEST_F(CheckConfig, FindsAStateThatOthersReach) {
  struct Row {
    std::filesystem::path path;
    mode_t mode;
    mode_t good;
    const char* told;
  };
  const std::vector<Row> rows{{installation.state(), 0750, 0700, "mode 0750"},
                              {installation.state(), 0701, 0700, "mode 0701"},
                              {installation.state(), 0720, 0700, "mode 0720"},
                              {file(), 0620, 0600, "mode 0620"},
                              {file(), 0602, 0600, "mode 0602"}};
  for (const Row& row : rows) {
    ASSERT_EQ(::chmod(row.path.c_str(), row.mode), 0);
    const std::string repair = std::string("chmod ") + (row.good == 0700 ? "700 " : "600 ");
    for (const Finished& refused : {check(), run_estiad(installation, {"--port", "0"})}) {
      EXPECT_EQ(refused.code, 1) << row.told;
      EXPECT_EQ(refused.out, "");
      EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
      EXPECT_NE(refused.err.find(row.path.string() + ": " + row.told), std::string::npos)
          << refused.err;
      EXPECT_NE(refused.err.find(repair + row.path.string()), std::string::npos) << refused.err;
      EXPECT_NE(refused.err.find("[state.mode]"), std::string::npos) << refused.err;
    }
    ASSERT_EQ(::chmod(row.path.c_str(), row.good), 0);
  }
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);  // there is no secret in it
  EXPECT_EQ(check().code, 0);
}

TEST_F(CheckConfig, FindsAStateOfSomebodyElse) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give a directory away";
  }
  constexpr uid_t kSomebody = 65534;
  for (const std::filesystem::path& path : {file(), installation.state()}) {
    ASSERT_EQ(::chown(path.c_str(), kSomebody, static_cast<gid_t>(-1)), 0);
    const std::string told = fault();
    EXPECT_NE(told.find(path.string() + ": belongs to uid 65534"), std::string::npos) << told;
    EXPECT_NE(told.find("[state.owner]"), std::string::npos) << told;
    ASSERT_EQ(::chown(path.c_str(), 0, static_cast<gid_t>(-1)), 0);
  }
  EXPECT_EQ(check().code, 0);
}

TEST_F(CheckConfig, FindsAStateThatIsAFile) {
  const std::string path = (installation.directory() / "pin").string();
  const Finished refused =
      run({program("estiad"), "--state", path, "--check-config"}, installation.directory());
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("[state.kind]"), std::string::npos) << refused.err;
}

TEST_F(CheckConfig, FindsATlsKeyOfAnotherCertificate) {
  run_ok({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
          (installation.directory() / "other.key").string()},
         installation.directory());
  replace_file(installation.state() / "tls/server.key",
               read_file(installation.directory() / "other.key"), FileMode::secret);
  EXPECT_NE(fault().find("tls.key_mismatch"), std::string::npos);
}

/// What estiad would say of each request otherwise.
TEST_F(CheckConfig, FindsKeysInAnotherTokenOrInTwo) {
  const std::string original = read_file(file());
  const auto with = [&](const std::string& label, const std::string& more) {
    std::string text = original;
    const std::string line = "label = \"" + installation.token_label() + "\"";
    text.replace(text.find(line), line.size(), "label = \"" + label + "\"");
    replace_file(file(), text + more, FileMode::secret);
    return check();
  };
  const Finished other = with("elsewhere", "");
  EXPECT_EQ(other.code, 1) << other.out;
  EXPECT_NE(other.err.find("CA 'issuing': "), std::string::npos) << other.err;
  EXPECT_NE(other.err.find("[token.uri_other_token]"), std::string::npos) << other.err;
  const std::string second = "\n[tokens.second]\nmodule = \"" + softhsm_module() +
                             "\"\npin_file = \"" + (installation.directory() / "pin").string() +
                             "\"\nlabel = \"";
  EXPECT_EQ(with(installation.token_label(), second + "spare\"\n").code, 0);
  const std::string same_label = second + installation.token_label() + "\"\n";
  const Finished twice = with(installation.token_label(), same_label);
  EXPECT_EQ(twice.code, 1) << twice.out;
  EXPECT_NE(twice.err.find("[config.token_twice]"), std::string::npos) << twice.err;
  EXPECT_EQ(with(installation.token_label(), same_label + "serial = \"0000\"\n").code, 0)
      << "the key's name has a serial, and so have the tokens";
  const std::string key = "pkcs11:token=" + installation.token_label() + ";object=tls";
  const std::string at = "key = \"tls/server.key\"";
  std::string text = read_file(file());
  ASSERT_NE(text.find(at), std::string::npos) << text;
  text.replace(text.find(at), at.size(), "key = \"" + key + "\"");
  replace_file(file(), text, FileMode::secret);
  EXPECT_NE(fault().find("[token.uri_ambiguous]"), std::string::npos);
}

TEST_F(CheckConfig, FindsABrokenStore) {
  installation.tamper("DELETE FROM audit WHERE sequence = 1");
  EXPECT_NE(fault().find("store.audit_chain_broken"), std::string::npos);
}

}  // namespace
}  // namespace estia::e2e
