// SPDX-License-Identifier: Apache-2.0
// Keys of serverkeygen that the token itself encrypts, so that estiad never has them.
#include "tests/e2e/support/hsm_wrapped.h"

#include <memory>

#include "tests/e2e/support/key_answer.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/support/key_needles.h"
#include "tests/support/pkcs8.h"

namespace estia::e2e {
namespace {

class HsmWrapped : public ManagedSite {
 protected:
  HsmWrapped() {
    EXPECT_TRUE(change_configuration("name = \"est\"\n",
                                     "name = \"est\"\nserverkeygen = [\"hsm-wrapped\"]\n"));
    device = client->make_device("/CN=wrapped-1", "", "RSA-2048");
    client->enroll(device);
    identifier = certificate_in(device.certificate).subject_key_identifier();
  }

  [[nodiscard]] Answer ask(const Bytes& csr) const {
    return client->post("serverkeygen", base64_encode(csr), EstClient::as_device(device));
  }
  void expect_refused(const Bytes& csr, const std::string& id) const {
    const Answer answer = ask(csr);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_TRUE(logged(id)) << id;
  }

  Device device;
  Bytes identifier;
};

TEST_F(HsmWrapped, TheClientOpensThem) {
  for (const char* kind : {"P-256", "RSA-2048"}) {
    const Answer answer = ask(wrapped_key_request("wrapped-1", identifier, kind));
    ASSERT_EQ(answer.status, 200) << answer.body << server->err();
    const std::vector<Part> parts = parts_of(answer);
    EXPECT_NE(parts.at(0).head.find("smime-type=server-generated-key"), std::string::npos);
    const KeyAnswer saved = save_parts(*client, answer);
    const crypto::PrivateKey key =
        test::from_pkcs8(unwrapped(parts.at(0).content, key_in(device.key), identifier));
    EXPECT_EQ(key.public_key(), certificate_in(saved.certificate).public_key()) << kind;
  }
  EXPECT_NE(estia_ok({"status", "--json"})
                .find("\"hsm_wrapped\": \"AES-256-WRAP-PAD, RSAES-OAEP with SHA1\""),
            std::string::npos);
}

TEST_F(HsmWrapped, WhatTheTokenCannotEncryptForIsRefusedAndNothingIsMade) {
  const Bytes cbc = der::sequence({der::sequence({der::oid("1.2.840.113549.1.1.7")}),
                                   der::sequence({der::oid("2.16.840.1.101.3.4.1.42")})});
  expect_refused(wrapped_key_request("wrapped-1", identifier, "P-256", cbc),
                 "serverkeygen.no_common_algorithm");
  expect_refused(wrapped_key_request("wrapped-1", identifier, "P-256", softhsm_capabilities(),
                                     kDecryptKeyIdentifier),
                 "serverkeygen.hsm_wrapped_kind");
  expect_refused(wrapped_key_request("wrapped-1", Bytes{1}), "serverkeygen.unknown_key");
  const std::string csr = read_file(client->make_device("/CN=wrapped-1").csr);
  expect_refused({csr.begin(), csr.end()}, "serverkeygen.encryption_required");
  Device on_curve = client->make_device("/CN=wrapped-2");
  client->enroll(on_curve);
  std::swap(device, on_curve);
  expect_refused(
      wrapped_key_request("wrapped-2", certificate_in(device.certificate).subject_key_identifier()),
      "serverkeygen.hsm_wrapped_kind");
  EXPECT_NE(estia_ok({"status", "--json"}).find("\"delivered\": 0"), std::string::npos);
}

TEST_F(HsmWrapped, NotBesideCms) {
  std::string document = estia_ok({"config", "export"});
  const std::string alone = "[\"hsm-wrapped\"]";
  document.replace(document.find(alone), alone.size(), "[\"cms\", \"hsm-wrapped\"]");
  const Finished both = apply(document);
  EXPECT_EQ(both.code, 1);
  EXPECT_NE(both.err.find("choose one"), std::string::npos) << both.err;
  EXPECT_TRUE(change_configuration("[\"hsm-wrapped\"]", "[\"pkcs8\", \"hsm-wrapped\"]"));
}

TEST_F(HsmWrapped, ExplainNamesIt) {
  const auto file = client->new_file(".csr");
  write_new_file(file, std::string(as_text(wrapped_key_request("wrapped-1", identifier))),
                 FileMode::readable);
  const std::string told = estia_ok({"explain", "--operation", "serverkeygen", "--csr",
                                     file.string(), "--cert", device.certificate.string()});
  EXPECT_NE(told.find("hsm-wrapped for RSA key " + to_hex(identifier)), std::string::npos) << told;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they want to come first
/// Nothing in the secure heap is wiped, so that whatever was ever there is found. SoftHSM, which
/// works in this process and keeps its own keys there, is the holder of their numbers; an answer is
/// estiad's alone, so that the text of one is looked for.
class MemoryWithoutWiping : public testing::Test {
 protected:
  MemoryWithoutWiping() {
    installation.allow_serverkeygen("[\"pkcs8\", \"hsm-wrapped\"]");
    installation.add_environment("LD_PRELOAD=" ESTIA_NO_WIPING);
    server = std::make_unique<EstiadProcess>(installation);
    client = std::make_unique<EstClient>(installation, *server);
    device = client->make_device("/CN=unwiped-1", "", "RSA-2048");
    client->enroll(device);
  }

  /// Ten requests, one after the other: of how many keys the base64 is found afterwards.
  template <class Open>
  std::size_t keys_seen(const std::string& csr, const Open& open) {
    std::vector<test::Needle> texts;
    for (int i = 0; i < 10; ++i) {
      const Answer answer = client->post("serverkeygen", csr, EstClient::as_device(device));
      EXPECT_EQ(answer.status, 200) << answer.body;
      texts.push_back(test::needles_of(open(parts_of(answer).at(0).content), false).at(2));
    }
    return static_cast<std::size_t>(std::ranges::count_if(texts, [&](const test::Needle& text) {
      return test::count_in(server->child().pid(), text) > 0;
    }));
  }

  Installation installation;
  std::unique_ptr<EstiadProcess> server;
  std::unique_ptr<EstClient> client;
  Device device;
};

TEST_F(MemoryWithoutWiping, HasNeverHeldAnAnswerWithAKey) {
  const Bytes identifier = certificate_in(device.certificate).subject_key_identifier();
  const Bytes wrapped = wrapped_key_request("unwiped-1", identifier);
  EXPECT_EQ(keys_seen(base64_encode(wrapped),
                      [&](const Bytes& message) {
                        return unwrapped(message, key_in(device.key), identifier);
                      }),
            0U);
  const Device plain = client->make_device("/CN=unwiped-1");
  EXPECT_GT(keys_seen(EstClient::csr_base64(plain), [](const Bytes& pkcs8) { return pkcs8; }), 0U)
      << "the scan finds what was there";
}
#endif

}  // namespace
}  // namespace estia::e2e
