// SPDX-License-Identifier: Apache-2.0
// strongSwan's `pki --estca` and `pki --est`, with strongSwan's own TLS, HTTP parser and PKCS#10.
#include "crypto/base/file.h"
#include "tests/conformance/site.h"

namespace estia::conformance {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> key;      ///< arguments of pki --gen
  std::vector<std::string> new_key;  ///< of the key that replaces it
};

class StrongSwan : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override { require_program("pki", "strongswan-pki"); }

  /// `pki ARGUMENTS...`, which must succeed; its output.
  std::string pki(std::vector<std::string> arguments) {
    arguments.emplace(arguments.begin(), "pki");
    // Only our settings: the machine's may change protocol versions.
    return e2e::run_ok(arguments, site_.installation.directory(),
                       {"STRONGSWAN_CONF=" + site_.file("strongswan.conf").string()});
  }

  /// The options that every request shares, in the file that --options reads: a password has no
  /// place on a command line.
  std::filesystem::path options(const std::string& more = {}) {
    const std::filesystem::path path = site_.openssl.new_file(".opt");
    std::string text = "--url https://localhost:" + site_.server.port() + "\n";
    for (const std::filesystem::path& certificate : authorities_) {
      text += "--cacert " + certificate.string() + "\n";
    }
    write_new_file(path, text + more, FileMode::secret);
    return path;
  }

  /// Fetches the CA certificates; only the root was known before.
  void get_authorities() {
    authorities_ = {site_.root()};
    pki({"--estca", "--options", options().string(), "--caout", site_.file("ca.crt").string()});
    for (const char* name : {"ca.crt", "ca-1.crt"}) {
      ASSERT_TRUE(std::filesystem::exists(site_.file(name))) << name;
    }
    authorities_ = {site_.file("ca.crt"), site_.file("ca-1.crt")};
  }

  e2e::Device make_device(const std::vector<std::string>& key) {
    e2e::Device device;
    device.key = save(".key", pki(key));
    device.csr = save(".csr", pki({"--req", "--type", "priv", "--in", device.key.string(), "--dn",
                                   "O=Acme, CN=moon.example.com", "--san", "moon.example.com"}));
    return device;
  }

  std::filesystem::path save(const std::string& suffix, const std::string& contents) {
    const std::filesystem::path path = site_.openssl.new_file(suffix);
    write_new_file(path, contents, FileMode::secret);
    return path;
  }

  Site site_;
  std::vector<std::filesystem::path> authorities_;
};

TEST_P(StrongSwan, FetchesTheCaEnrolsByPasswordAndReenrolsByCertificate) {
  const Case& wanted = GetParam();
  write_new_file(site_.file("strongswan.conf"), "", FileMode::readable);
  ASSERT_NO_FATAL_FAILURE(get_authorities());

  e2e::Device device = make_device(wanted.key);
  const std::string account =
      "--userpass " + site_.installation.user() + ":" + site_.installation.password() + "\n";
  device.certificate = save(
      ".crt", pki({"--est", "--options", options(account).string(), "--in", device.csr.string()}));
  const std::string serial = site_.check(device.certificate, device.key, "moon.example.com");

  e2e::Device next = make_device(wanted.new_key);
  next.certificate =
      save(".crt", pki({"--est", "--options", options().string(), "--in", next.csr.string(),
                        "--cert", device.certificate.string(), "--key", device.key.string()}));
  EXPECT_NE(site_.check(next.certificate, next.key, "moon.example.com"), serial);

  EXPECT_EQ(site_.stop_and_count("simpleenroll"), 1);
  EXPECT_EQ(site_.installation.query("SELECT count(*) FROM certificate WHERE state = 'issued' AND "
                                     "operation = 'simplereenroll'"),
            "1");
}

std::string name_of(const testing::TestParamInfo<Case>& wanted) {
  return wanted.param.name;
}
const std::vector<std::string> kEcdsa256{"--gen", "--type", "ecdsa", "--size", "256"};
const std::vector<std::string> kEcdsa384{"--gen", "--type", "ecdsa", "--size", "384"};
const std::vector<std::string> kRsa2048{"--gen", "--type", "rsa", "--size", "2048"};

INSTANTIATE_TEST_SUITE_P(Pki, StrongSwan,
                         testing::Values(Case{"ecdsa", kEcdsa256, kEcdsa256},
                                         Case{"rsa", kRsa2048, kRsa2048},
                                         Case{"rsa_to_ecdsa", kRsa2048, kEcdsa384}),
                         name_of);

}  // namespace
}  // namespace estia::conformance
