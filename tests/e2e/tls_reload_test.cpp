// SPDX-License-Identifier: Apache-2.0
// The listener's certificate is renewed while clients are connected.
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

class TlsRenewal : public ManagedSite {
 protected:
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return installation.state() / "tls" / name;
  }
  /// A self-signed certificate of that name takes the place of the listener's files.
  void renew(const std::string& name) const {
    const auto key = client->new_file(".key");
    const auto certificate = client->new_file(".pem");
    client->openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-keyout", key.string(), "-out", certificate.string(), "-subj",
                     "/CN=" + name, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"});
    replace_file(file("server.key"), read_file(key), FileMode::secret);
    replace_file(file("server.pem"), read_file(certificate), FileMode::readable);
  }
  [[nodiscard]] std::string shown() const { return estia_ok({"tls", "show"}); }
};

TEST_F(TlsRenewal, BySignal) {
  renew("renewed-by-signal");
  EXPECT_EQ(shown().find("renewed-by-signal"), std::string::npos);
  server->child().signal(SIGHUP);
  EXPECT_TRUE(logged("event=tls.reloaded"));
  EXPECT_NE(shown().find("CN=renewed-by-signal"), std::string::npos);
  const Answer answer = client->request("cacerts", {"-v", "--insecure"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.error.find("CN=renewed-by-signal"), std::string::npos) << answer.error;
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(installation.query("SELECT outcome FROM audit WHERE what = 'tls.reload'"), "ok");
}

TEST_F(TlsRenewal, ByCommand) {
  renew("renewed-by-command");
  EXPECT_NE(estia_ok({"tls", "reload"}).find("CN=renewed-by-command"), std::string::npos);
  EXPECT_NE(shown().find("CN=renewed-by-command"), std::string::npos);
}

TEST_F(TlsRenewal, WhatDoesNotWorkIsSaidAndTheOldOneStays) {
  const std::string before = shown();
  const std::string good = read_file(file("server.key"));
  const auto other = client->new_file(".key");
  client->openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                   other.string()});
  replace_file(file("server.key"), read_file(other), FileMode::secret);
  const Finished refused = estia({"tls", "reload"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("tls.key_mismatch"), std::string::npos) << refused.err;
  server->child().signal(SIGHUP);
  EXPECT_TRUE(logged("event=tls.reload_failed"));
  EXPECT_EQ(shown(), before);
  EXPECT_EQ(client->request("cacerts").status, 200);
  replace_file(file("server.key"), good, FileMode::secret);
  EXPECT_EQ(server->stop(), 0);
  EXPECT_EQ(installation.query("SELECT group_concat(DISTINCT outcome) FROM audit WHERE what = "
                               "'tls.reload'"),
            "tls.key_mismatch");
}

}  // namespace
}  // namespace estia::e2e
