// SPDX-License-Identifier: Apache-2.0
// `estia init` on a real SoftHSM and a real store.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/base/file.h"
#include "crypto/x509/certificate.h"
#include "hsm/token.h"
#include "server/provision/configuration_document.h"
#include "server/store/store.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using crypto::Certificate;
using e2e::Finished;

void expect_failure(const Finished& finished, const std::string& told) {
  EXPECT_EQ(finished.code, 1) << finished.out << finished.err;
  EXPECT_EQ(finished.err.find("estia: error: "), 0U) << finished.err;
  EXPECT_NE(finished.err.find(told), std::string::npos) << finished.err;
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

std::vector<Certificate> read_certificates(const std::filesystem::path& path) {
  return Certificate::parse_pem(read_file(path));
}

std::size_t file_count(const std::filesystem::path& folder) {
  const std::filesystem::recursive_directory_iterator files(folder);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(Init, MakesAChainThatOpensslVerifies) {
  const Workplace place;
  place.make_ca();
  const std::string bundle = (place.state() / "ca-bundle.pem").string();
  const std::string server = (place.state() / "tls/server.pem").string();
  const std::string seen = place.tool({"openssl", "verify", "-x509_strict", "-purpose", "sslserver",
                                       "-verify_hostname", "localhost", "-CAfile", bundle, server});
  EXPECT_NE(seen.find(": OK"), std::string::npos) << seen;
  place.tool(
      {"openssl", "verify", "-x509_strict", "-verify_ip", "127.0.0.1", "-CAfile", bundle, server});
  const auto cas = read_certificates(bundle);
  ASSERT_EQ(cas.size(), 2U);
  EXPECT_TRUE(cas[0].self_issued());
  EXPECT_EQ(cas[0].public_key().spec()->name, "P-384");
  EXPECT_EQ(cas[1].public_key().spec()->name, "P-256");
  EXPECT_TRUE(cas[1].signed_by(cas[0].public_key()));
  const std::string text = place.tool({"openssl", "x509", "-in", server, "-noout", "-text"});
  EXPECT_NE(text.find("Digital Signature"), std::string::npos) << text;
}

TEST(Init, ServerCertificateServesAndGivesNoRights) {
  // = RFC 7030 3.6.1 with design: cmcRA beside serverAuth, without clientAuth.
  const Workplace place;
  place.make_ca();
  const auto chain = read_certificates(place.state() / "tls/server.pem");
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_TRUE(chain[0].has_extended_key_usage(crypto::oid::kServerAuth));
  EXPECT_TRUE(chain[0].has_extended_key_usage(crypto::oid::kCmcRa));
  EXPECT_FALSE(chain[0].has_extended_key_usage(crypto::oid::kClientAuth));
  EXPECT_FALSE(chain[0].is_ca());
  EXPECT_EQ(chain[0].subject_alt_names().names().size(), 3U);
  EXPECT_LE(chain[0].not_after(), chain[1].not_after());
  const auto key = crypto::PrivateKey::from_pem(read_secret_file(place.state() / "tls/server.key"));
  EXPECT_EQ(key.public_key(), chain[0].public_key());
}

TEST(Init, TakesNamesSubjectsAndKeyTypesAsGiven) {
  const Workplace place;
  place.make_ca({"--dns", "est.acme.example", "--ip", "192.0.2.7", "--root-key", "RSA-2048",
                 "--issuing-key", "P-384", "--root-subject", "CN=Acme Root,O=Acme",
                 "--issuing-subject", "CN=Acme Devices,O=Acme", "--host", "0.0.0.0", "--port",
                 "9443"});
  const auto chain = read_certificates(place.state() / "tls/server.pem");
  const auto root = read_certificates(place.state() / "ca-bundle.pem").front();
  EXPECT_EQ(chain[0].subject().text(), "CN=est.acme.example");
  ASSERT_EQ(chain[0].subject_alt_names().names().size(), 2U);
  EXPECT_EQ(chain[0].subject_alt_names().names()[1].text, "192.0.2.7");
  EXPECT_EQ(chain[1].subject().text(), "CN=Acme Devices,O=Acme");
  EXPECT_EQ(chain[1].public_key().spec()->name, "P-384");
  EXPECT_EQ(root.subject().text(), "CN=Acme Root,O=Acme");
  EXPECT_EQ(root.public_key().spec()->name, "RSA-2048");
  const std::string text = read_file(place.state() / "estia.toml");
  EXPECT_NE(text.find("host = \"0.0.0.0\"\nport = 9443\n"), std::string::npos) << text;
}

TEST(Init, KeysNeverLeaveTheTokenAndOnlySign) {
  const Workplace place;
  place.make_ca();
  place.use();
  const SystemClock clock;
  const auto store = store::Store::open(place.state() / "estia.db", clock);
  const auto snapshot = provision::build_snapshot(store->configuration().load().value());
  const auto token = hsm::Token::open({.module = place.module(),
                                       .init_args = {},
                                       .label = Workplace::kLabel,
                                       .serial = {},
                                       .pin = {.file = place.path("pin")}});
  for (const auto& [name, ca] : snapshot->cas) {
    const auto uri = hsm::KeyUri::parse(ca.key_uri);
    EXPECT_EQ(token->key(uri).public_key(), ca.certificate().public_key()) << name;
    const hsm::KeyAttributes key = token->attributes(uri);
    EXPECT_TRUE(key.token && key.sensitive && key.always_sensitive) << name;
    EXPECT_TRUE(key.never_extractable && key.local && key.sign) << name;
    EXPECT_FALSE(key.extractable || key.decrypt || key.unwrap || key.derive) << name;
  }
  EXPECT_EQ(snapshot->cas.size(), 2U);
}

TEST(Init, RecordsItsCertificatesLikeAnyOther) {
  const Workplace place;
  place.make_ca();
  const SystemClock clock;
  const auto store = store::Store::open(place.state() / "estia.db", clock);
  auto certificates = read_certificates(place.state() / "ca-bundle.pem");
  certificates.push_back(read_certificates(place.state() / "tls/server.pem").front());
  for (const Certificate& certificate : certificates) {
    const auto record = store->registry().find(certificate.serial());
    ASSERT_TRUE(record.has_value()) << certificate.subject().text();
    EXPECT_EQ(record->state, ca::CertificateState::issued);
    EXPECT_EQ(record->certificate, certificate.der());
    EXPECT_EQ(certificate.serial().size(), 20U);
  }
  EXPECT_TRUE(store->registry().open_intents().empty());
  EXPECT_GE(store->verify_audit_chain(), 9U);  // 3 x intent and issued, 2 x ca.created, config
}

TEST(Init, FirstConfigurationIsDefaultDeny) {
  const Workplace place;
  place.make_ca();
  const SystemClock clock;
  const auto store = store::Store::open(place.state() / "estia.db", clock);
  const auto snapshot = provision::build_snapshot(store->configuration().load().value());
  const ca::Alias* alias = snapshot->find_alias("est");
  ASSERT_NE(alias, nullptr);
  EXPECT_EQ(alias->authenticators, std::vector{ca::Authenticator::basic});
  EXPECT_EQ(alias->ra_scope.text(), "CN=dev-*");
  EXPECT_EQ(alias->channel_binding, ca::ChannelBindingPolicy::verify_if_present);
  const auto& profile = snapshot->certificate_profile(alias->certificate_profile);
  EXPECT_EQ(profile.extended_key_usage, std::vector{std::string(crypto::oid::kClientAuth)});
  EXPECT_FALSE(profile.ca);
  ASSERT_EQ(snapshot->accounts.size(), 1U);
  EXPECT_EQ(snapshot->accounts[0].user, "ra");
  EXPECT_EQ(snapshot->aliases.size(), 1U);
}

TEST(Init, SecretsAreInFilesOfTheirOwnerOnly) {
  const Workplace place;
  ASSERT_EQ(place.token_init(Workplace::kLabel).code, 0);
  const Finished made = place.init(Workplace::kLabel);
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(mode_of(place.state()), 0700U);
  EXPECT_EQ(mode_of(place.state() / "tls"), 0700U);
  for (const char* file :
       {"tls/server.key", "ra-account.user", "ra-account.password", "estia.db"}) {
    EXPECT_EQ(mode_of(place.state() / file), 0600U) << file;
  }
  const Secret password = read_secret_file(place.state() / "ra-account.password");
  EXPECT_GE(password.size(), 22U);
  for (const std::string& text : {made.out, made.err, read_file(place.state() / "estia.toml"),
                                  read_file(place.state() / "estia.db")}) {
    EXPECT_EQ(text.find(password.text()), std::string::npos);
    EXPECT_EQ(text.find(Workplace::kPin), std::string::npos);
  }
}

TEST(Init, NeverOverwrites) {
  const Workplace place;
  place.make_ca();
  const std::string before = read_file(place.state() / "ca-bundle.pem");
  const std::size_t keys = place.object_count();
  expect_failure(place.init(Workplace::kLabel), "never overwrites");
  EXPECT_EQ(read_file(place.state() / "ca-bundle.pem"), before);
  EXPECT_EQ(place.object_count(), keys);
}

TEST(Init, TakesAnEmptyDirectoryAndNoOther) {
  const Workplace place;
  ASSERT_EQ(place.token_init(Workplace::kLabel).code, 0);
  std::filesystem::create_directory(place.state());
  write_new_file(place.state() / "mine", "precious", FileMode::readable);
  expect_failure(place.init(Workplace::kLabel), "is not empty");
  EXPECT_EQ(read_file(place.state() / "mine"), "precious");
  EXPECT_EQ(file_count(place.state()), 1U);
  std::filesystem::remove(place.state() / "mine");
  EXPECT_EQ(place.init(Workplace::kLabel).code, 0);
  EXPECT_EQ(mode_of(place.state()), 0700U);
}

TEST(Init, RefusesUnlessExactlyOneTokenHasTheLabel) {
  const Workplace place;
  ASSERT_EQ(place.token_init("one").code, 0);
  expect_failure(place.init("two"), "no token labelled 'two'");
  // estia itself would not make a second one.
  place.tool({"softhsm2-util", "--init-token", "--free", "--label", "one", "--so-pin",
              Workplace::kSoPin, "--pin", Workplace::kPin});
  expect_failure(place.init("one"), "2 tokens are labelled 'one'");
  expect_failure(place.init("one", {"--token-serial", "0000"}), "with that serial");
  EXPECT_FALSE(std::filesystem::exists(place.state()));
  EXPECT_EQ(place.object_count(), 0U);
}

TEST(Init, LeavesNothingBehindWhenItFails) {
  const Workplace place;
  ASSERT_EQ(place.token_init(Workplace::kLabel).code, 0);
  replace_file(place.path("pin"), "wrong-pin\n", FileMode::secret);
  const Finished wrong = place.init(Workplace::kLabel);
  EXPECT_EQ(wrong.code, 1);
  EXPECT_EQ(wrong.err.find("wrong-pin"), std::string::npos) << wrong.err;
  EXPECT_FALSE(std::filesystem::exists(place.state()));
  // The same in a directory that was there before: it stays, empty.
  std::filesystem::create_directory(place.state());
  EXPECT_EQ(place.init(Workplace::kLabel).code, 1);
  EXPECT_EQ(file_count(place.state()), 0U);
  EXPECT_EQ(place.object_count(), 0U);
}

TEST(Init, RefusesAPinFileThatOthersCanRead) {
  const Workplace place;
  ASSERT_EQ(place.token_init(Workplace::kLabel).code, 0);
  ASSERT_EQ(::chmod(place.path("pin").c_str(), 0644), 0);
  expect_failure(place.init(Workplace::kLabel), place.path("pin").string());
  EXPECT_FALSE(std::filesystem::exists(place.state()));
}

}  // namespace
}  // namespace estia::test
