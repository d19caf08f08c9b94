// SPDX-License-Identifier: Apache-2.0
// curl and openssl in the ways that the end-to-end tests do not use them.
#include "crypto/base/bytes.h"
#include "crypto/base/file.h"
#include "tests/conformance/site.h"

namespace estia::conformance {
namespace {

class Curl : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] std::vector<std::string> version() const {
    return {"--tlsv" + std::string(GetParam()), "--tls-max", GetParam()};
  }
};

TEST_P(Curl, TrustsWhatCacertsGaveEnrolsAndReenrolsWithANewKey) {
  Site site;
  // A device that knows the root only: everything else comes from the answer.
  const std::vector<std::string> root{"--cacert", site.root().string()};
  const e2e::Answer cacerts = site.openssl.request("cacerts", root + version());
  ASSERT_EQ(cacerts.status, 200) << cacerts.error;
  const std::vector<std::string> trust{"--cacert",
                                       site.openssl.save_certificate(cacerts.body).string()};

  const std::string host = "device.example.com";
  e2e::Device device = site.openssl.make_device("/O=Acme/CN=device", "DNS:" + host);
  const e2e::Answer enrolled =
      site.openssl.post("est/simpleenroll", e2e::EstClient::csr_base64(device, 64),
                        site.openssl.as_ra() + trust + version());
  ASSERT_EQ(enrolled.status, 200) << enrolled.body << enrolled.error;
  device.certificate = site.openssl.save_certificate(enrolled.body);
  const std::string serial = site.check(device.certificate, device.key, host);

  e2e::Device next = site.openssl.make_device("/O=Acme/CN=device", "DNS:" + host, "P-384");
  const e2e::Answer again =
      site.openssl.post("est/simplereenroll", e2e::EstClient::csr_base64(next, 64),
                        e2e::EstClient::as_device(device) + trust + version());
  ASSERT_EQ(again.status, 200) << again.body << again.error;
  next.certificate = site.openssl.save_certificate(again.body);
  EXPECT_NE(site.check(next.certificate, next.key, host), serial);
  EXPECT_EQ(site.stop_and_count("simplereenroll"), 1);
}

TEST_P(Curl, SeveralOperationsShareOneConnection) {
  Site site;
  const e2e::Device device = site.openssl.make_device("/CN=device");
  const std::filesystem::path body = site.openssl.new_file(".b64");
  write_new_file(body, e2e::EstClient::csr_base64(device, 64), FileMode::secret);
  const std::string out = site.file("out").string();
  std::vector<std::string> command{"curl", "-q", "-sS", "--noproxy", "*", "--max-time", "40"};
  const std::vector<std::string> common =
      std::vector<std::string>{
          "--cacert", site.root().string(), "-w", "%{http_code} %{num_connects}\n", "-o", out} +
      version();
  command = command + common + std::vector<std::string>{site.server.url("cacerts"), "--next"} +
            common + site.openssl.as_ra() +
            std::vector<std::string>{"-H",
                                     "Content-Type: application/pkcs10",
                                     "--data-binary",
                                     "@" + body.string(),
                                     site.server.url("simpleenroll"),
                                     "--next"} +
            common + std::vector<std::string>{site.server.url("cacerts")};
  EXPECT_EQ(e2e::run_ok(command, site.installation.directory()), "200 1\n200 0\n200 0\n");
  EXPECT_EQ(site.stop_and_count("simpleenroll"), 1);
}

TEST_P(Curl, AnAddressWithoutServerNameIsServed) {
  Site site;
  const std::string url = "https://127.0.0.1:" + site.server.port() + "/.well-known/est/cacerts";
  const std::vector<std::string> command = std::vector<std::string>{"curl",
                                                                    "-q",
                                                                    "-sS",
                                                                    "--noproxy",
                                                                    "*",
                                                                    "--max-time",
                                                                    "40",
                                                                    "--cacert",
                                                                    site.root().string(),
                                                                    "-o",
                                                                    site.file("out").string(),
                                                                    "-w",
                                                                    "%{http_code}"} +
                                           version() + std::vector<std::string>{url};
  EXPECT_EQ(e2e::run_ok(command, site.installation.directory()), "200");
  EXPECT_EQ(site.server.stop(), 0);
}

std::string name_of(const testing::TestParamInfo<const char*>& version) {
  return std::string(version.param) == "1.2" ? "v12" : "v13";
}
INSTANTIATE_TEST_SUITE_P(Tls, Curl, testing::Values("1.2", "1.3"), name_of);

}  // namespace
}  // namespace estia::conformance
