// SPDX-License-Identifier: Apache-2.0
#include "server/api/decrypt_keys.h"

#include <chrono>

#include "crypto/x509/certificate_builder.h"
#include "tests/support/certificates.h"
#include "tests/unit/api/api_fixture.h"

namespace estia::api {
namespace {

using std::chrono_literals::operator""h;

constexpr const char* kKey = "000102030405060708090a0b0c0d0e0f";

class DecryptKeysTest : public ApiTest {
 protected:
  DecryptKeysTest() {
    snapshot->aliases.emplace("factory", ca::Alias{.name = "factory"});
    for (const char* username : {"device-1", "device-2"}) {
      store->end_entities().add({.username = username, .ca = "issuing"}, {.what = "test"});
    }
  }

  static Json secret_of(const Json& owner, const std::string& identifier = "6b31",
                        const std::string& key = kKey) {
    Json body = owner;
    body.update(Json{{"kind", "secret"}, {"identifier", identifier}, {"secret", key}});
    return body;
  }
  http::Response post(const std::string& path, const Json& body) {
    return call("POST", "/v1/decrypt-keys" + path, body.dump());
  }
  std::string refused_with(const std::string& member, const Json& value) {
    Json body = secret_of(kAlias);
    body[member] = value;
    return refused(post("", body));
  }
  /// Self-signed, without a key usage.
  crypto::Certificate certificate_of(const std::string& kind, std::chrono::hours from,
                                     std::chrono::hours to) const {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse(kind));
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
    const auto name = crypto::Name::from_text("CN=reader");
    const Bytes tbs = crypto::build_tbs(
        {.serial = {1},
         .issuer = name,
         .subject = name,
         .not_before = clock.now() + from,
         .not_after = clock.now() + to,
         .public_key = key.public_key(),
         .extensions = {crypto::subject_key_identifier(key.public_key().key_identifier())}},
        algorithm);
    return crypto::assemble_certificate(tbs, algorithm, key.sign(tbs, algorithm)).parsed();
  }
  Json listed(const Json& owner) { return json_of(post("/list", owner)).at("decrypt_keys"); }

  const Json kAlias{{"alias", "factory"}};
  const Json kEntity{{"username", "device-1"}};
};

TEST_F(DecryptKeysTest, AreShownByTheirIdentifiersAlone) {
  const http::Response added = post("", secret_of(kEntity));
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(post("", secret_of(kAlias, "ff00")).status, 201);
  const Json shown = listed({{"username", "DEVICE-1"}});
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown.at(0).at("kind"), "secret");
  EXPECT_EQ(shown.at(0).at("identifier"), "6b31");
  EXPECT_EQ(listed(kAlias).at(0).at("identifier"), "ff00");
  EXPECT_EQ(listed({{"username", "device-2"}}), Json::array());
  for (const std::string& body : {added.body, shown.dump()}) {
    EXPECT_EQ(body.find(kKey), std::string::npos) << body;
    EXPECT_EQ(body.find("secret\":"), std::string::npos) << body;
  }
}

TEST_F(DecryptKeysTest, ACertificateIsKnownByItsSubjectKeyIdentifier) {
  const crypto::Certificate reader = certificate_of("P-256", -1h, 1h);
  Json body = kEntity;
  body.update(Json{{"kind", "certificate"}, {"certificate", reader.to_pem()}});
  ASSERT_EQ(post("", body).status, 201);
  const Json shown = listed(kEntity).at(0);
  EXPECT_EQ(shown.at("identifier"), to_hex(reader.subject_key_identifier()));
  EXPECT_EQ(shown.at("subject"), reader.subject().text());
  EXPECT_EQ(sealer.sealed, 0) << "nothing of it is secret";
  // What no key could be encrypted for is told to who registers it, not to a device.
  for (const std::string& useless :
       {reader.to_pem() + reader.to_pem(), certificate_of("Ed25519", -1h, 1h).to_pem(),
        certificate_of("P-256", 1h, 2h).to_pem(), certificate_of("P-256", -2h, -1h).to_pem(),
        test::make_software_ca("signer").ca.certificate().to_pem()}) {
    body["certificate"] = useless;
    EXPECT_EQ(refused(post("", body)), "422 decrypt_key.certificate") << useless;
  }
  body["certificate"] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(refused(post("", body)), "422 decrypt_key.certificate");
  body["certificate"] = nullptr;
  EXPECT_EQ(refused(post("", body)), "400 api.member");
}

TEST_F(DecryptKeysTest, OnePasswordForEachOwner) {
  Json body = kEntity;
  body.update(Json{{"kind", "password"}, {"secret", "a long password"}});
  ASSERT_EQ(post("", body).status, 201);
  EXPECT_TRUE(listed(kEntity).at(0).at("identifier").is_null());
  EXPECT_EQ(refused(post("", body)), "409 decrypt_key.exists");
  for (const char* weak : {"", "short", "aaaaaaaaaaaaaaaaaaaa", "a long pa\xC3\x9Fword"}) {
    body["secret"] = weak;
    EXPECT_EQ(refused(post("", body)), "422 decrypt_key.password") << weak;
  }
  body["secret"] = "a long password";
  body["identifier"] = "00";
  EXPECT_EQ(refused(post("", body)), "400 api.member") << "it has none";
}

TEST_F(DecryptKeysTest, WhatCannotBeIsRefusedAndNothingIsKept) {
  EXPECT_EQ(refused_with("alias", "nobody"), "422 config.reference");
  EXPECT_EQ(refused_with("username", "device-1"), "400 api.member") << "one owner";
  EXPECT_EQ(refused_with("alias", nullptr), "400 api.member") << "no owner";
  EXPECT_EQ(refused_with("kind", "key"), "400 api.member");
  EXPECT_EQ(refused_with("identifier", ""), "422 decrypt_key.identifier");
  EXPECT_EQ(refused_with("identifier", std::string(512, 'a')), "422 decrypt_key.identifier");
  EXPECT_EQ(refused_with("identifier", "6b3"), "400 api.member");
  EXPECT_EQ(refused_with("identifier", "kk"), "400 api.member");
  EXPECT_EQ(refused_with("secret", "no digits"), "400 api.member");
  EXPECT_EQ(refused_with("secret", nullptr), "400 api.member");
  EXPECT_EQ(refused_with("certificate", "x"), "400 api.member");
  for (const std::size_t bytes : {0U, 1U, 15U, 17U, 31U, 33U, 64U}) {
    EXPECT_EQ(refused_with("secret", std::string(bytes, 'a') + std::string(bytes, '1')),
              "422 decrypt_key.secret")
        << bytes;
  }
  EXPECT_EQ(refused_with("secret", std::string(32, '0')), "422 decrypt_key.secret");
  EXPECT_EQ(refused(post("", secret_of({{"username", "nobody"}}))), "404 entity.unknown");
  EXPECT_EQ(refused(post("/list", {{"username", "nobody"}})), "404 entity.unknown");
  EXPECT_EQ(refused(post("/list", {{"alias", "nobody"}})), "422 config.reference");
  EXPECT_EQ(listed(kAlias), Json::array());
  const std::string text = post("", secret_of(kAlias, "6b31", "not hexadecimal")).body;
  EXPECT_EQ(text.find("not hexadecimal"), std::string::npos) << "it may be a secret";
}

TEST_F(DecryptKeysTest, AnotherKeyOfThatNameTakesARemoval) {
  ASSERT_EQ(post("", secret_of(kAlias)).status, 201);
  EXPECT_EQ(refused(post("", secret_of(kAlias))), "409 decrypt_key.exists");
  EXPECT_EQ(sealer.sealed, 1) << "the token is not asked in vain";
  const Json name{{"alias", "factory"}, {"kind", "secret"}, {"identifier", "6b31"}};
  EXPECT_EQ(post("/remove", name).status, 200);
  EXPECT_EQ(refused(post("/remove", name)), "404 decrypt_key.unknown");
  EXPECT_EQ(post("", secret_of(kAlias)).status, 201);
}

TEST_F(DecryptKeysTest, AreListedInPages) {
  for (const char* identifier : {"01", "02", "03"}) {
    ASSERT_EQ(post("", secret_of(kAlias, identifier)).status, 201);
  }
  Json wanted = kAlias;
  wanted["limit"] = 2;
  Json page = json_of(post("/list", wanted));
  EXPECT_EQ(page.at("decrypt_keys").size(), 2U);
  wanted["after"] = page.at("next");
  page = json_of(post("/list", wanted));
  EXPECT_EQ(page.at("decrypt_keys").size(), 1U);
  EXPECT_EQ(page.at("decrypt_keys").at(0).at("identifier"), "03");
  EXPECT_TRUE(page.at("next").is_null());
  wanted["after"] = std::uint64_t{1} << 63U;
  EXPECT_EQ(json_of(post("/list", wanted)).at("decrypt_keys"), Json::array());
}

}  // namespace
}  // namespace estia::api
