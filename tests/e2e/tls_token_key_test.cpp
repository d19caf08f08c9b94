// SPDX-License-Identifier: Apache-2.0
// The listener's TLS key is in the token, beside the CA's.
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

class TlsKeyInToken : public ManagedSite {
 protected:
  TlsKeyInToken() : ManagedSite("any", {"--tls-key-in-token"}) {}

  [[nodiscard]] std::filesystem::path file() const { return installation.state() / "estia.toml"; }
  void change_file(const std::string& from, const std::string& to) const {
    std::string text = read_file(file());
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    replace_file(file(), text.replace(at, from.size(), to), FileMode::readable);
  }
};

TEST_F(TlsKeyInToken, ServesBothVersionsAndThereIsNoFileOfIt) {
  EXPECT_FALSE(std::filesystem::exists(installation.state() / "tls/server.key"));
  EXPECT_NE(read_file(file()).find("key = \"pkcs11:"), std::string::npos);
  for (const char* version : {"1.2", "1.3"}) {
    const Answer answer =
        client->request("cacerts", {std::string("--tlsv") + version, "--tls-max", version});
    EXPECT_EQ(answer.status, 200) << answer.error;
  }
  Device device = client->make_device("/CN=over-token-tls");
  client->enroll(device);
}

TEST_F(TlsKeyInToken, IsAskedForAgainWhenTheCertificateIsRenewed) {
  EXPECT_NE(estia_ok({"tls", "reload"}).find("shown from now on"), std::string::npos);
  EXPECT_EQ(client->request("cacerts").status, 200);
  server->child().signal(SIGHUP);
  EXPECT_TRUE(logged("event=tls.reloaded"));
  EXPECT_EQ(client->request("cacerts").status, 200);
}

TEST_F(TlsKeyInToken, OneThatIsNotThereIsNamed) {
  EXPECT_EQ(server->stop(), 0);
  server.reset();
  EXPECT_EQ(run_estiad(installation, {"--check-config"}).code, 0);
  change_file("key = \"pkcs11:", "key = \"pkcs11:object=nowhere;");
  const Finished twice = run_estiad(installation, {"--check-config"});
  EXPECT_NE(twice.err.find("listener.est.key"), std::string::npos) << twice.err;
  const std::string text = read_file(file());
  const std::size_t at = text.find("key = \"pkcs11:");
  change_file(text.substr(at, text.find('\n', at) - at), "key = \"pkcs11:object=nowhere\"");
  const Finished start = run_estiad(installation, {"--port", "0"});
  EXPECT_EQ(start.code, 1);
  EXPECT_NE(start.err.find("listener.est.key"), std::string::npos) << start.err;
  EXPECT_NE(start.err.find("token.key_not_found"), std::string::npos) << start.err;
}

/// Found in review: estiad named an order that only a running one took, and did not start.
TEST_F(TlsKeyInToken, AfterARefusedPinAnOrderToAStoppedEstiadLetsItStart) {
  const std::string right = read_file(installation.pin_file());
  const auto start_fails_with = [&](const std::string& id) {
    const Finished start = run_estiad(installation, {"--port", "0"});
    EXPECT_EQ(start.code, 1);
    EXPECT_NE(start.err.find(id), std::string::npos) << start.err;
  };
  EXPECT_EQ(server->stop(), 0);
  server.reset();
  replace_file(installation.pin_file(), "wrong-canary-7741\n", FileMode::secret);
  start_fails_with("token.pin_");
  replace_file(installation.pin_file(), right, FileMode::secret);
  start_fails_with("token.pin_refused");
  EXPECT_NE(estia_ok({"token", "activate"}).find("estiad may be started"), std::string::npos);
  start();
  EXPECT_EQ(client->request("cacerts").status, 200);
}

}  // namespace
}  // namespace estia::e2e
