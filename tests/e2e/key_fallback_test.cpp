// SPDX-License-Identifier: Apache-2.0
// Who asks for an encrypted key never gets one in the clear, least of all where the alias would
// give that, too (EST-4.4.1-d). Found in review: no test failed when it did.
#include "tests/e2e/support/hsm_wrapped.h"
#include "tests/e2e/support/key_answer.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

constexpr const char* kCapabilities = "1.2.840.113549.1.9.15";

struct Wish {
  const char* name;
  std::vector<Bytes> attributes;
};

Bytes capability(const char* oid) {
  return der::sequence({der::sequence({der::oid(oid)})});
}

/// Everything that asks for encryption and cannot have it.
std::vector<Wish> wishes_in_vain() {
  const Bytes all = test::attribute_of(
      kCapabilities, der::sequence({der::sequence({der::oid("2.16.840.1.101.3.4.1.45")}),
                                    der::sequence({der::oid("1.2.840.113549.1.1.7")}),
                                    der::sequence({der::oid("2.16.840.1.101.3.4.1.48")}),
                                    der::sequence({der::oid("2.16.840.1.101.3.4.1.42")})}));
  const Bytes none = test::attribute_of(kCapabilities, capability("1.2.840.113549.3.7"));
  const Bytes secret = test::attribute_of(kDecryptKeyIdentifier, der::octet_string(Bytes{7}));
  const Bytes asymmetric =
      test::attribute_of(kAsymmetricDecryptKeyIdentifier, der::octet_string(Bytes{7}));
  const Bytes broken = test::attribute_of(kDecryptKeyIdentifier, der::small_integer(7));
  return {{"unknown secret key", {all, secret}},
          {"unknown certificate", {all, asymmetric}},
          {"no capabilities", {secret}},
          {"nothing in common", {none, secret}},
          {"two identifiers", {all, secret, asymmetric}},
          {"a broken identifier", {all, broken}}};
}

using KeyFallback = ManagedSite;

TEST_F(KeyFallback, ThereIsNone_EST_4_4_1_d) {
  std::string before = "name = \"est\"\n";
  const std::string key = "serverkeygen = ";
  for (const std::string packages :
       {R"(["pkcs8"])", R"(["pkcs8", "cms"])", R"(["pkcs8", "hsm-wrapped"])"}) {
    ASSERT_TRUE(change_configuration(
        before, before.starts_with(key) ? key + packages : before + key + packages + "\n"));
    before = key + packages;
    for (const Wish& wish : wishes_in_vain()) {
      const Bytes csr =
          test::csr_with_attributes(test::software_key("P-256"), "CN=fall-1", wish.attributes);
      const Answer answer = client->post("serverkeygen", base64_encode(csr), client->as_ra());
      EXPECT_EQ(answer.status, 400) << packages << ", " << wish.name << ": " << answer.body;
    }
  }
  EXPECT_TRUE(logged("serverkeygen.encryption_off"));
  EXPECT_NE(estia_ok({"status", "--json"}).find("\"delivered\": 0"), std::string::npos);
  const Answer plain = client->post(
      "serverkeygen", EstClient::csr_base64(client->make_device("/CN=fall-1")), client->as_ra());
  EXPECT_EQ(plain.status, 200) << "and who asks for none gets it: " << plain.body;
}

/// Found in review: who reads the request's header could open the file.
TEST_F(KeyFallback, ThePasswordOfPkcs12IsNotTheOneOfBasic) {
  ASSERT_TRUE(
      change_configuration("name = \"est\"\n", "name = \"est\"\nserverkeygen = [\"pkcs12\"]\n"));
  const auto file = client->new_file(".password");
  write_new_file(file, installation.password() + "\n", FileMode::secret);
  estia_ok({"decrypt-key", "add", "--alias", "est", "--password-file", file.string()});
  const Answer answer = client->post(
      "serverkeygen", EstClient::csr_base64(client->make_device("/CN=same-1")), client->as_ra());
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_TRUE(logged("serverkeygen.password_is_credential"));
}

}  // namespace
}  // namespace estia::e2e
