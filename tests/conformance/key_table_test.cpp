// SPDX-License-Identifier: Apache-2.0
// Every kind of device key under every kind of CA key; openssl makes the keys and judges the
// result.
#include <stdlib.h>

#include <array>

#include "tests/conformance/site.h"

namespace estia::conformance {
namespace {

constexpr std::array kDeviceKeys{"RSA-2048", "RSA-3072", "RSA-4096", "P-256",
                                 "P-384",    "P-521",    "Ed25519"};

/// What openssl calls the signature that such a CA key makes.
std::string signature_name(const std::string& ca_key) {
  if (ca_key == "Ed25519") {
    return "ED25519";
  }
  if (ca_key.starts_with("RSA-")) {
    return "sha256WithRSAEncryption";
  }
  return ca_key == "P-384" ? "ecdsa-with-SHA384" : "ecdsa-with-SHA256";
}

/// For LeakSanitizer: stacks that go on below libraries without frame pointers. SoftHSM's leak with
/// Ed25519 keys (tests/support/lsan.supp) is known by nothing else.
void unwind_fully() {
  const char* options = ::getenv("ASAN_OPTIONS");
  const std::string all = options == nullptr ? "" : options;
  ::setenv("ASAN_OPTIONS", (all + ":fast_unwind_on_malloc=0").c_str(), 1);
}

class KeyTable : public testing::TestWithParam<const char*> {};

TEST_P(KeyTable, EveryDeviceKeyEnrolsAndReenrolsUnderThisCa) {
  const std::string ca_key = GetParam();
  if (ca_key == "Ed25519") {
    unwind_fully();
  }
  Site site({"--issuing-key", ca_key});
  int number = 0;
  for (const std::string device_key : kDeviceKeys) {
    SCOPED_TRACE(device_key + " under " + ca_key);
    const std::string host = "device-" + std::to_string(++number) + ".example.com";
    e2e::Device device = site.openssl.make_device("/CN=" + host, "DNS:" + host, device_key);
    site.openssl.enroll(device);
    const std::string serial = site.check(device.certificate, device.key, host);
    EXPECT_NE(site.x509(device.certificate, "-text")
                  .find("Signature Algorithm: " + signature_name(ca_key) + "\n"),
              std::string::npos);

    const e2e::Answer again = site.openssl.post(
        "simplereenroll", e2e::EstClient::csr_base64(device), e2e::EstClient::as_device(device));
    ASSERT_EQ(again.status, 200) << again.body << again.error;
    EXPECT_NE(site.check(site.openssl.save_certificate(again.body), device.key, host), serial);
  }
  EXPECT_EQ(site.stop_and_count("simpleenroll"), static_cast<int>(kDeviceKeys.size()));
}

std::string name_of(const testing::TestParamInfo<const char*>& ca_key) {
  std::string name = ca_key.param;
  std::erase(name, '-');
  return name;
}
INSTANTIATE_TEST_SUITE_P(CaKey, KeyTable,
                         testing::Values("P-256", "P-384", "RSA-2048", "RSA-3072", "Ed25519"),
                         name_of);

}  // namespace
}  // namespace estia::conformance
