// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_document.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "server/auth/password.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

using test::good_document;
using test::issuing_pem;
using test::mutated;

TEST(ConfigurationDocument, GoodOneIsReadAsWritten) {
  const ParsedConfiguration parsed = parse(good_document(), "x.toml");
  const ca::Snapshot& contents = parsed.contents;
  const auto& ca = contents.ca("issuing");
  EXPECT_EQ(ca.key_uri, "pkcs11:token=factory;object=issuing;type=private");
  ASSERT_EQ(ca.chain.size(), 2U);
  EXPECT_EQ(ca.certificate().to_pem(), issuing_pem());
  const auto& names = contents.end_entity_profile("device");
  ASSERT_EQ(names.subject.size(), 4U);
  EXPECT_TRUE(names.subject[0].required);
  EXPECT_FALSE(names.subject[1].required);
  EXPECT_EQ(names.subject[3].attribute, "O");
  EXPECT_EQ(names.subject[3].fixed, "Acme");
  EXPECT_EQ(names.san.size(), 4U);
  EXPECT_EQ(names.max_san, 7U);
  const auto& profile = contents.certificate_profile("device");
  EXPECT_EQ(profile.validity, std::chrono::hours(24 * 365));
  EXPECT_EQ(profile.backdate, std::chrono::minutes(5));
  EXPECT_EQ(profile.extended_key_usage,
            (std::vector<std::string>{"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.99999.1"}));
  EXPECT_EQ(profile.ocsp, std::vector<std::string>{"http://pki.example/ocsp"});
  EXPECT_TRUE(contents.certificate_profile("sub-ca").ca);
  EXPECT_EQ(contents.certificate_profile("sub-ca").path_length, 0);
  const ca::Alias* alias = contents.find_alias("est");
  ASSERT_NE(alias, nullptr);
  EXPECT_EQ(alias->authenticators.front(), ca::Authenticator::client_certificate);
  EXPECT_EQ(alias->ra_scope.text(), "CN=device-*, O=Acme, dns=*.acme.example");
  EXPECT_EQ(alias->channel_binding, ca::ChannelBindingPolicy::required);
  EXPECT_FALSE(alias->allow_same_key);
  EXPECT_EQ(alias->retry_window, std::chrono::seconds(90));
  ASSERT_EQ(parsed.accounts.size(), 1U);
  EXPECT_EQ(parsed.accounts[0].password_file, "ra.password");
  EXPECT_TRUE(parsed.warnings.empty());
}

TEST(ConfigurationDocument, DefaultsAreTheSafeOnes) {
  const ParsedConfiguration parsed = parse(good_document(), "x.toml");
  const ca::Alias* alias = parsed.contents.find_alias("renew");
  ASSERT_NE(alias, nullptr);
  EXPECT_TRUE(alias->ra_scope.empty());  // a cmcRA certificate may name nobody
  EXPECT_EQ(alias->channel_binding, ca::ChannelBindingPolicy::verify_if_present);
  EXPECT_EQ(alias->retry_window, std::chrono::seconds(120));
}

TEST(ConfigurationDocument, SubjectsAndKeysAreUniqueUnlessSwitchedOff) {
  const auto unsaid = parse(good_document(), "x.toml");
  EXPECT_TRUE(unsaid.contents.ca("issuing").unique_subject);
  EXPECT_TRUE(unsaid.contents.ca("issuing").unique_key);
  EXPECT_FALSE(unsaid.contents.ca("issuing").enforce_key_renewal);
  EXPECT_FALSE(unsaid.contents.certificate_profile("device").single_active);
  EXPECT_NE(print(unsaid).find("unique_subject = true\nunique_key = true\n"), std::string::npos)
      << "what is on is shown";

  const std::string key = "type=private\"\n";
  for (const bool subject : {false, true}) {
    const std::string switches =
        subject ? "unique_subject = false\n" : "unique_key = false\nenforce_key_renewal = true\n";
    const auto read = parse(mutated(key, key + switches), "x.toml");
    for (const auto& parsed : {read, parse(print(read), "printed")}) {
      EXPECT_EQ(parsed.contents.ca("issuing").unique_subject, !subject);
      EXPECT_EQ(parsed.contents.ca("issuing").unique_key, subject);
      EXPECT_EQ(parsed.contents.ca("issuing").enforce_key_renewal, !subject);
    }
  }
  const auto single =
      parse(mutated("backdate = \"5m\"\n", "backdate = \"5m\"\nsingle_active = true\n"), "x.toml");
  EXPECT_TRUE(parse(print(single), "printed").contents.certificate_profile("device").single_active);
}

TEST(ConfigurationDocument, PrintAndParseAreInverse) {
  const std::string once = print(parse(good_document(), "x.toml"));
  const std::string twice = print(parse(once, "printed"));
  EXPECT_EQ(once, twice);
  const ParsedConfiguration before = parse(good_document(), "x.toml");
  const ParsedConfiguration after = parse(once, "printed");
  EXPECT_EQ(print(*before.contents.find_alias("est")), print(*after.contents.find_alias("est")));
  EXPECT_EQ(before.contents.certificate_profile("device").extended_key_usage,
            after.contents.certificate_profile("device").extended_key_usage);
  EXPECT_EQ(before.contents.ca("issuing").certificate(),
            after.contents.ca("issuing").certificate());
  EXPECT_EQ(after.accounts.size(), 1U);
}

TEST(ConfigurationDocument, PrintHoldsNoPasswordFile) {
  const std::string printed = print(parse(good_document(), "x.toml"));
  EXPECT_EQ(printed.find("password"), std::string::npos);
}

TEST(ConfigurationDocument, PrintEscapesWhatTomlWouldRead) {
  const auto parsed = parse(mutated("O = \"Acme\"", R"(O = "A \"quoted\" \\ back")"), "x.toml");
  const auto again = parse(print(parsed), "printed");
  EXPECT_EQ(again.contents.end_entity_profile("device").subject[3].fixed, R"(A "quoted" \ back)");
}

TEST(ConfigurationDocument, WarnsOfPowersAnybodyWouldGet) {
  const auto parsed = parse(mutated("\"clientAuth\"", "\"cmcRA\", \"OCSPSigning\""), "x.toml");
  std::string all;
  for (const std::string& warning : parsed.warnings) {
    all += warning + "\n";
  }
  EXPECT_NE(all.find("alias est: certificate profile device lacks clientAuth"), std::string::npos)
      << all;
  EXPECT_NE(all.find("its cmcRA gives no rights"), std::string::npos) << all;
  EXPECT_NE(all.find("gives OCSPSigning to everybody"), std::string::npos) << all;
  EXPECT_NE(all.find("gives cmcRA to everybody"), std::string::npos) << all;
}

TEST(ConfigurationDocument, WarnsOfBasicWithoutAccount) {
  std::string document = good_document();
  document.resize(document.find("[[account]]"));
  const auto parsed = parse(document, "x.toml");
  ASSERT_EQ(parsed.warnings.size(), 1U);
  EXPECT_EQ(parsed.warnings[0], "alias est: accepts basic but has no account");
}

ca::StoredConfiguration stored_configuration() {
  return {
      .version = 9,
      .document = print(parse(good_document(), "x.toml")),
      .accounts = {{.alias = "est",
                    .user = "ra",
                    .password = auth::hash_generated_secret(Secret("0123456789abcdefghijkl"))}}};
}

TEST(BuildSnapshot, JoinsDocumentAndHashes) {
  const auto snapshot = build_snapshot(stored_configuration());
  EXPECT_EQ(snapshot->version, 9U);
  ASSERT_EQ(snapshot->accounts.size(), 1U);
  EXPECT_TRUE(auth::verify_password(snapshot->accounts[0].password, "0123456789abcdefghijkl"));
}

TEST(BuildSnapshot, RefusesHashesThatDoNotFitTheDocument) {
  const auto id_of = [](const ca::StoredConfiguration& stored) -> std::string {
    try {
      static_cast<void>(build_snapshot(stored));
      return "";
    } catch (const Error& error) {
      return error.id();
    }
  };
  ca::StoredConfiguration none = stored_configuration();
  none.accounts.clear();
  EXPECT_EQ(id_of(none), "config.stored_accounts");
  ca::StoredConfiguration other = stored_configuration();
  other.accounts[0].user = "intruder";
  EXPECT_EQ(id_of(other), "config.stored_accounts");
  ca::StoredConfiguration more = stored_configuration();
  more.accounts.push_back(more.accounts[0]);
  EXPECT_EQ(id_of(more), "config.stored_accounts");
}

}  // namespace
}  // namespace estia::provision
