// SPDX-License-Identifier: Apache-2.0
// Bouncy Castle's org.bouncycastle.est over the JDK's TLS, driven by tests/support/java.
#include "crypto/base/file.h"
#include "tests/conformance/java_program.h"
#include "tests/conformance/site.h"

namespace estia::conformance {
namespace {

struct Case {
  std::string name;
  std::string tls;
  std::string key;
  std::string new_key;
};

class BouncyCastle : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] e2e::Finished client(const std::vector<std::string>& arguments) const {
    const std::vector<std::string> server{GetParam().tls, "localhost:" + site_.server.port()};
    return e2e::run(java_program("EstClient", server + arguments), site_.installation.directory());
  }

  [[nodiscard]] std::string root_fingerprint() const {
    std::string text = site_.openssl.openssl(
        {"x509", "-in", site_.root().string(), "-noout", "-fingerprint", "-sha256"});
    text = text.substr(text.find('=') + 1);
    std::erase_if(text, [](char c) { return c == ':' || c == '\n'; });
    return text;
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return site_.file(name).string();
  }

  Site site_;
};

TEST_P(BouncyCastle, BootstrapsEnrolsByPasswordAndReenrolsByCertificate) {
  const e2e::Finished cacerts = client({"bootstrap", root_fingerprint(), path("ca.pem")});
  ASSERT_EQ(cacerts.code, 0) << cacerts.err;
  EXPECT_EQ(cacerts.out, "cacerts 2\n");

  const std::string host = "device.example.com";
  const e2e::Finished enrolled =
      client({"enroll", path("ca.pem"), site_.installation.user(),
              (site_.installation.state() / "ra-account.password").string(), GetParam().key,
              "CN=device,O=Acme", host, path("device.key"), path("device.pem")});
  ASSERT_EQ(enrolled.code, 0) << enrolled.err;
  const std::string serial = site_.check(path("device.pem"), path("device.key"), host);

  const e2e::Finished reenrolled =
      client({"reenroll", path("ca.pem"), path("device.key"), path("device.pem"),
              GetParam().new_key, path("next.key"), path("next.pem")});
  ASSERT_EQ(reenrolled.code, 0) << reenrolled.err;
  EXPECT_NE(site_.check(path("next.pem"), path("next.key"), host), serial);

  EXPECT_EQ(site_.stop_and_count("simpleenroll"), 1);
  EXPECT_EQ(site_.installation.query("SELECT count(*) FROM certificate WHERE state = 'issued' AND "
                                     "operation = 'simplereenroll'"),
            "1");
}

TEST_P(BouncyCastle, AForeignRootAndAWrongPasswordEndWithoutACertificate) {
  const std::string nobody(64, '0');
  EXPECT_NE(client({"bootstrap", nobody, path("ca.pem")}).code, 0);
  EXPECT_FALSE(std::filesystem::exists(path("ca.pem")));

  write_new_file(path("wrong"), "not the password\n", FileMode::secret);
  const e2e::Finished refused = client(
      {"enroll", site_.installation.ca_bundle().string(), site_.installation.user(), path("wrong"),
       "P-256", "CN=device", "device.example.com", path("device.key"), path("device.pem")});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("401"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(path("device.pem")));
  EXPECT_EQ(site_.stop_and_count("simpleenroll"), 0);
}

std::string name_of(const testing::TestParamInfo<Case>& wanted) {
  return wanted.param.name;
}
INSTANTIATE_TEST_SUITE_P(Jsse, BouncyCastle,
                         testing::Values(Case{"tls12_ec", "TLSv1.2", "P-256", "P-384"},
                                         Case{"tls13_ec", "TLSv1.3", "P-256", "P-256"},
                                         Case{"tls13_rsa", "TLSv1.3", "RSA-2048", "RSA-2048"}),
                         name_of);

}  // namespace
}  // namespace estia::conformance
