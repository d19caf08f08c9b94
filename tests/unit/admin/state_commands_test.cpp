// SPDX-License-Identifier: Apache-2.0
// `estia apply`, `config export` and `revoke` on a state directory made by `estia init`.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <optional>

#include "crypto/base/file.h"
#include "crypto/x509/certificate.h"
#include "server/provision/state_layout.h"
#include "server/store/store.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using e2e::Finished;

constexpr const char* kPassword = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5";

class StateCommands : public ::testing::Test {
 protected:
  StateCommands() {
    place_.make_ca();
    exported_ = place_.estia({"config", "export", "--state", state()}).out;
  }

  [[nodiscard]] std::string state() const { return place_.state().string(); }
  [[nodiscard]] Finished apply(const std::string& document) const {
    replace_file(place_.path("ca.toml"), document, FileMode::readable);
    return place_.estia({"apply", place_.path("ca.toml").string(), "--state", state()});
  }
  [[nodiscard]] Finished revoke(const std::string& serial,
                                const std::string& reason = "superseded") const {
    return place_.estia({"revoke", "--state", state(), "--serial", serial, "--reason", reason});
  }
  [[nodiscard]] std::string replaced(const std::string& from, const std::string& to) const {
    std::string text = exported_;
    EXPECT_NE(text.find(from), std::string::npos) << from;
    return text.replace(text.find(from), from.size(), to);
  }
  [[nodiscard]] std::string with_account(const std::string& user,
                                         const std::string& password_file) const {
    return exported_ + "\n[[account]]\nalias = \"est\"\nuser = \"" + user + "\"\n" +
           (password_file.empty() ? "" : "password_file = \"" + password_file + "\"\n");
  }
  [[nodiscard]] std::optional<ca::CertificateRecord> record(const Bytes& serial) const {
    const SystemClock clock;
    return store::Store::open(place_.state() / "estia.db", clock)->registry().find(serial);
  }
  [[nodiscard]] ca::StoredConfiguration stored() const {
    const SystemClock clock;
    return store::Store::open(place_.state() / "estia.db", clock)->configuration().load().value();
  }

  Workplace place_;
  std::string exported_;
};

void expect_failure(const Finished& finished, const std::string& told) {
  EXPECT_EQ(finished.code, 1) << finished.out << finished.err;
  EXPECT_NE(finished.err.find(told), std::string::npos) << finished.err;
}

TEST_F(StateCommands, ExportAppliesUnchanged) {
  ASSERT_FALSE(exported_.empty());
  const Finished again = apply(exported_);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, "nothing to change, version 1\n");
  EXPECT_EQ(exported_.find("password"), std::string::npos);
}

TEST_F(StateCommands, AStateThatOthersReachIsRefusedByEachCommand) {
  replace_file(place_.path("same.toml"), exported_, FileMode::readable);
  const std::vector<std::vector<std::string>> commands{
      {"config", "export", "--state", state()},
      {"apply", place_.path("same.toml").string(), "--state", state()},
      {"revoke", "--state", state(), "--serial", "01"}};
  const std::filesystem::path file = place_.state() / "estia.toml";
  for (const auto& command : commands) {
    ASSERT_EQ(::chmod(state().c_str(), 0750), 0);
    expect_failure(place_.estia(command), state() + ": mode 0750");
    ASSERT_EQ(::chmod(state().c_str(), 0700), 0);
    ASSERT_EQ(::chmod(file.c_str(), 0660), 0);
    expect_failure(place_.estia(command), "chmod 600 " + file.string());
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  }
  EXPECT_EQ(place_.estia(commands.front()).out, exported_);
}

TEST_F(StateCommands, ApplyReportsWhatChanged) {
  std::string document = replaced("ra_scope = \"CN=dev-*\"", "ra_scope = \"CN=device-*\"");
  document += "\n[[end_entity_profile]]\nname = \"sensor\"\nrequired = [\"CN\"]\n";
  const Finished applied = apply(document);
  ASSERT_EQ(applied.code, 0) << applied.err;
  EXPECT_TRUE(applied.out.ends_with(
      "added    end-entity profile sensor\nchanged  alias est\nconfiguration version 2\n"))
      << applied.out;
  EXPECT_TRUE(applied.out.starts_with("@@ ")) << "the difference comes first: " << applied.out;
  EXPECT_NE(applied.out.find("\n-ra_scope = \"CN=dev-*\"\n+ra_scope = \"CN=device-*\"\n"),
            std::string::npos)
      << applied.out;
  const Finished back = apply(exported_);
  EXPECT_TRUE(back.out.ends_with(
      "changed  alias est\nremoved  end-entity profile sensor\nconfiguration version 3\n"))
      << back.out;
  EXPECT_EQ(place_.estia({"config", "export", "--state", state()}).out, exported_);
}

TEST_F(StateCommands, DryRunAndDiffShowTheSameAndChangeNothing) {
  const std::string document = replaced("CN=dev-*", "CN=x-*");
  replace_file(place_.path("ca.toml"), document, FileMode::readable);
  const std::string file = place_.path("ca.toml").string();
  const Finished dry = place_.estia({"apply", file, "--state", state(), "--dry-run"});
  ASSERT_EQ(dry.code, 0) << dry.err;
  EXPECT_TRUE(dry.out.ends_with("changed  alias est\nnothing was changed, version 1\n")) << dry.out;
  const Finished diff = place_.estia({"config", "diff", file, "--state", state()});
  ASSERT_EQ(diff.code, 0) << diff.err;
  EXPECT_TRUE(diff.out.starts_with("--- in force\n+++ " + file + "\n@@ ")) << diff.out;
  EXPECT_NE(diff.out.find("\n+ra_scope = \"CN=x-*\"\n"), std::string::npos) << diff.out;
  EXPECT_EQ(stored().version, 1U);
  replace_file(file, exported_, FileMode::readable);
  EXPECT_EQ(place_.estia({"config", "diff", file, "--state", state()}).out, "");
}

TEST_F(StateCommands, RefusedDocumentChangesNothing) {
  expect_failure(apply(replaced("ca = \"issuing\"", "ca = \"other\"")),
                 "alias[est].ca: there is no 'other'");
  expect_failure(apply("rubbish"), "ca.toml:1");
  expect_failure(apply(replaced("name = \"est\"", "name = \"rest\"")), "");
  EXPECT_EQ(stored().version, 1U);
  EXPECT_EQ(place_.estia({"config", "export", "--state", state()}).out, exported_);
}

TEST_F(StateCommands, WarnsButApplies) {
  const Finished applied = apply(replaced("[\"clientAuth\"]", "[\"serverAuth\"]"));
  EXPECT_EQ(applied.code, 0) << applied.err;
  EXPECT_NE(
      applied.err.find("estia: warning: alias est: certificate profile device lacks clientAuth"),
      std::string::npos)
      << applied.err;
}

TEST_F(StateCommands, AccountKeepsItsHashWithoutPasswordFile) {
  const Bytes before = stored().accounts.at(0).password.digest;
  ASSERT_EQ(apply(replaced("CN=dev-*", "CN=x-*")).code, 0);
  EXPECT_EQ(stored().accounts.at(0).password.digest, before);
}

TEST_F(StateCommands, NewAccountNeedsAPasswordFromAFile) {
  expect_failure(apply(with_account("second", "")), "is new and has no stored password");
  expect_failure(apply(with_account("second", "second.password")), "second.password");
  const auto expect_weak = [this](const char* weak, const std::string& entry,
                                  const std::string& rule) {
    replace_file(place_.path("second.password"), weak, FileMode::secret);
    const Finished refused = apply(entry);
    expect_failure(refused, rule);
    EXPECT_EQ(refused.err.find(weak), std::string::npos) << refused.err;
  };
  const std::string chosen = with_account("second", "second.password");
  for (const char* weak :
       {"shortish", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a tab\there, long enough"}) {
    expect_weak(weak, chosen, "a password must be 14 to 256 bytes");
  }
  // D16: what is said to be generated is digested once, so it must look the part.
  for (const char* weak :
       {"chosen by a man", "hunter2hunter2hunter2", "with spaces in it, long enough"}) {
    expect_weak(weak, chosen + "generated = true\n", "a password must be 22 to 256 printable");
  }
  EXPECT_EQ(stored().accounts.size(), 1U);
  replace_file(place_.path("second.password"), kPassword, FileMode::readable);
  EXPECT_EQ(apply(with_account("second", "second.password")).code, 1);  // others can read it
  replace_file(place_.path("second.password"), kPassword, FileMode::secret);
  const Finished applied = apply(with_account("second", "second.password"));
  ASSERT_EQ(applied.code, 0) << applied.err;
  EXPECT_TRUE(applied.out.ends_with("added    account est/second\nconfiguration version 2\n"))
      << applied.out;
  EXPECT_EQ(applied.out.find(kPassword), std::string::npos);
  EXPECT_EQ(apply(with_account("second", "second.password")).out, "nothing to change, version 2\n");
  replace_file(place_.path("second.password"), "A" + std::string(kPassword), FileMode::secret);
  EXPECT_EQ(apply(with_account("second", "second.password")).out,
            "changed  account est/second\nconfiguration version 3\n");
  EXPECT_TRUE(
      apply(exported_).out.ends_with("removed  account est/second\nconfiguration version 4\n"));
  EXPECT_EQ(stored().accounts.size(), 1U);
  EXPECT_EQ(read_file(place_.state() / "estia.db").find(kPassword), std::string::npos);
}

TEST_F(StateCommands, DryRunReadsPasswordFilesAndRefusesWhatApplyWould) {
  const std::string document = with_account("second", "second.password");
  const std::string file = place_.path("ca.toml").string();
  replace_file(file, document, FileMode::readable);
  const auto dry = [&] { return place_.estia({"apply", file, "--state", state(), "--dry-run"}); };
  const auto password = [&](const std::string& text, FileMode mode = FileMode::secret) {
    replace_file(place_.path("second.password"), text, mode);
  };
  expect_failure(dry(), "second.password");  // there is none
  password(kPassword, FileMode::readable);
  expect_failure(dry(), "second.password");
  password("shortish");
  const Finished weak = dry();
  expect_failure(weak, "second.password: a password must be 14 to 256 bytes");
  EXPECT_EQ((weak.out + weak.err).find("shortish"), std::string::npos);
  password("chosen by a man");
  EXPECT_EQ(dry().code, 0);
  replace_file(file, document + "generated = true\n", FileMode::readable);
  expect_failure(dry(), "a password must be 22 to 256 printable");
  replace_file(file, document, FileMode::readable);
  password(kPassword);
  const Finished good = dry();
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ((good.out + good.err).find(kPassword), std::string::npos);
  EXPECT_TRUE(good.out.ends_with("added    account est/second\nnothing was changed, version 1\n"))
      << good.out;
  ASSERT_EQ(apply(document).code, 0);
  password("shortish");
  const Finished stored_one = dry();
  EXPECT_EQ(stored_one.code, 0) << "it could be the stored one";
  EXPECT_NE(stored_one.err.find("warning: second.password: a password must be"), std::string::npos)
      << stored_one.err;
  EXPECT_EQ(stored().version, 2U);
}

TEST_F(StateCommands, RevokesOnceAndForGood) {
  const auto server =
      crypto::Certificate::parse_pem(read_file(place_.state() / "tls/server.pem")).front();
  EXPECT_FALSE(record(server.serial())->revocation.has_value());
  const Finished done = revoke(to_hex(server.serial()), "keyCompromise");
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, "revoked " + to_hex(server.serial()) + " (keyCompromise)\n");
  ASSERT_TRUE(record(server.serial())->revocation.has_value());
  EXPECT_EQ(record(server.serial())->revocation->reason, 1);
  expect_failure(revoke(to_hex(server.serial())), "revoked");
  EXPECT_EQ(record(server.serial())->revocation->reason, 1);
}

TEST_F(StateCommands, RevokeTakesSerialsAsToolsPrintThem) {
  const auto server =
      crypto::Certificate::parse_pem(read_file(place_.state() / "tls/server.pem")).front();
  const std::string printed =
      place_.tool({"openssl", "x509", "-in", (place_.state() / "tls/server.pem").string(), "-noout",
                   "-serial"});
  const std::string hex = printed.substr(printed.find('=') + 1, 40);
  std::string colons;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    colons += (i == 0 ? "" : ":") + hex.substr(i, 2);
  }
  ASSERT_EQ(revoke(colons).code, 0);
  EXPECT_TRUE(record(server.serial())->revocation.has_value());
}

TEST_F(StateCommands, RevokeRefusesAnUnknownSerial) {
  expect_failure(revoke("0102030405"), "0102030405");
}

TEST_F(StateCommands, EveryCommandRefusesALockedState) {
  {
    const provision::StateLock held{provision::StateLayout(place_.state())};
    expect_failure(apply(exported_), "stop it first");
    expect_failure(revoke("01"), "stop it first");
    expect_failure(place_.estia({"config", "export", "--state", state()}), "stop it first");
  }
  EXPECT_EQ(apply(exported_).code, 0);
}

TEST_F(StateCommands, ATamperedConfigurationFileIsRefused) {
  const auto file = place_.state() / "estia.toml";
  replace_file(file, read_file(file) + "\nloose = 1\n", FileMode::readable);
  expect_failure(revoke("01"), "loose");
}

}  // namespace
}  // namespace estia::test
