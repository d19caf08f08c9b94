// SPDX-License-Identifier: Apache-2.0
// `estia token status` and `estia token probe` of a running estiad, and what is refused meanwhile.
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

class TokenOrders : public ManagedSite {
 protected:
  [[nodiscard]] std::string audited(const std::string& what) const {
    return installation.query("SELECT count(*) FROM audit WHERE what = '" + what + "'");
  }
  [[nodiscard]] std::string who(const std::string& what) const {
    return installation.query("SELECT who FROM audit WHERE what = '" + what + "' LIMIT 1");
  }
};

TEST_F(TokenOrders, StatusTellsOfLoginSessionsAndKeys) {
  const std::string text = estia_ok({"token", "status"});
  for (const char* line :
       {"state                      attached\n", "sessions.most ", "recoveries.new_login ",
        "issuing", "pkcs11:", "never extractable", "made in the token"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in " << text;
  }
  EXPECT_NE(text.find(installation.token_label()), std::string::npos) << text;
  const std::string json = estia_ok({"token", "status", "--json"});
  EXPECT_EQ(json.find("[\n  {\n    \"name\": \"main\",\n    \"state\": \"attached\""), 0U) << json;
  EXPECT_EQ(server->stop(), 0);
  const Finished stopped = estia({"token", "status"});
  EXPECT_NE(stopped.err.find("[cli.not_running]"), std::string::npos) << stopped.err;
}

TEST_F(TokenOrders, ProbeSignsOnceWithEachCaKey) {
  const std::string text = estia_ok({"token", "probe"});
  EXPECT_NE(text.find("\tattached\tlogged in\n"), std::string::npos) << text;
  EXPECT_NE(text.find("ca\tissuing\tok\t"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(" ms\n")) << text;
  const std::string json = estia_ok({"token", "probe", "--json"});
  EXPECT_NE(json.find("\"result\": \"ok\""), std::string::npos) << json;
  EXPECT_EQ(json.find("signature"), std::string::npos) << json;
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(audited("token.probe"), "4") << "each before it is tried, and what became of it";
  EXPECT_EQ(who("token.probe").find("operator uid "), 0U) << who("token.probe");
  EXPECT_NE(server->err().find("event=token.proved ca=issuing id=ok"), std::string::npos)
      << server->err();
}

TEST_F(TokenOrders, ProbeFailsWhereAKeyIsMissing) {
  EXPECT_EQ(server->stop(), 0);
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(installation.directory() / "tokens")) {
    if (entry.path().extension() == ".object" && entry.path().filename() != "token.object") {
      std::filesystem::remove(entry.path());
    }
  }
  start();
  const Finished probed = estia({"token", "probe"});
  EXPECT_EQ(probed.code, 1) << probed.out;
  EXPECT_NE(probed.out.find("ca\tissuing\ttoken.key_not_found\t"), std::string::npos) << probed.out;
  EXPECT_NE(probed.err.find("1 of 1 CA keys did not sign [cli.probe]"), std::string::npos)
      << probed.err;
  const Finished json = estia({"token", "probe", "--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_NE(json.out.find("\"result\": \"token.key_not_found\""), std::string::npos) << json.out;
  // Found in review: it was `ok`, whatever had failed.
  EXPECT_EQ(installation.query("SELECT group_concat(outcome || ' ' || detail, ';') FROM (SELECT * "
                               "FROM audit WHERE what = 'token.probe' ORDER BY sequence)"),
            "begun ;failed keys=1 failed=1;begun ;failed keys=1 failed=1");
}

TEST_F(TokenOrders, ProbeFailsWithoutTheToken) {
  EXPECT_EQ(server->stop(), 0);
  const auto tokens = installation.directory() / "tokens";
  std::filesystem::rename(tokens, installation.directory() / "hidden");
  std::filesystem::create_directory(tokens);
  start();
  const Finished probed = estia({"token", "probe"});
  EXPECT_EQ(probed.code, 1) << probed.out;
  EXPECT_NE(probed.out.find("\tnot logged in\n"), std::string::npos) << probed.out;
  EXPECT_NE(probed.out.find("ca\tissuing\ttoken."), std::string::npos) << probed.out;
}

/// D1: nobody else writes to the token while estiad runs.
TEST_F(TokenOrders, WhatWritesToTheTokenIsRefusedWhileEstiadRuns) {
  const auto pin = installation.directory() / "new-pin";
  write_new_file(pin, "new-canary-6610\n", FileMode::secret);
  const std::vector<std::vector<std::string>> commands = {
      {"token", "pin", "change", "--new-pin-file", pin.string()},
      {"token", "pin", "set", "--so-pin-file", installation.pin_file().string(), "--new-pin-file",
       pin.string()},
      {"token", "pin", "resume"},
      {"token", "cert", "store", "--file", installation.ca_bundle().string()},
      {"token", "cert", "list"}};
  const std::string before = read_file(installation.pin_file());
  for (const std::vector<std::string>& command : commands) {
    const Finished refused = estia(command);
    EXPECT_EQ(refused.code, 1) << refused.out << refused.err;
    EXPECT_NE(refused.err.find("[state.locked]"), std::string::npos) << refused.err;
  }
  EXPECT_EQ(read_file(installation.pin_file()), before);
  EXPECT_FALSE(std::filesystem::exists(installation.pin_file().string() + ".next"));
  EXPECT_EQ(server->stop(), 0);
  start();
  EXPECT_NE(estia_ok({"token", "probe"}).find("ca\tissuing\tok"), std::string::npos);
}

/// The daemon takes up what the commands left, and its PIN is the new one.
TEST_F(TokenOrders, EstiadStartsWithTheNewPinAndTheCertificatesBesideItsKeys) {
  EXPECT_EQ(server->stop(), 0);
  const auto pin = installation.directory() / "new-pin";
  write_new_file(pin, "new-canary-6610\n", FileMode::secret);
  estia_ok({"token", "cert", "store", "--file", installation.ca_bundle().string()});
  estia_ok({"token", "pin", "change", "--new-pin-file", pin.string()});
  start();
  EXPECT_NE(estia_ok({"token", "probe"}).find("ca\tissuing\tok"), std::string::npos);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(server->err().find("new-canary-6610"), std::string::npos);
}

}  // namespace
}  // namespace estia::e2e
