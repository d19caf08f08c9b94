// SPDX-License-Identifier: Apache-2.0
// A good run-time configuration, spoilt in every way: each refusal names key, line and reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "crypto/base/error.h"
#include "server/provision/configuration_document.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

using test::good_document;
using test::issuing_pem;
using test::mutated;
using test::root_pem;

/// "id | text" of what parse() throws; "" when it throws nothing.
std::string refusal(const std::string& document) {
  try {
    static_cast<void>(parse(document, "x.toml"));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::config) << error.what();
    return error.id() + " | " + error.what();
  }
}

struct Mutation {
  std::string from;
  std::string to;
  std::string id;
  std::string told;  // must stand in the message: key path or reason
};

void expect_refused(const std::vector<Mutation>& mutations) {
  static const std::regex place(R"(x\.toml:[1-9][0-9]*: )");
  for (const Mutation& mutation : mutations) {
    const std::string got = refusal(mutated(mutation.from, mutation.to));
    const std::string what = mutation.from + " -> " + mutation.to;
    EXPECT_TRUE(got.starts_with(mutation.id + " | ")) << what << "\ngot: " << got;
    EXPECT_NE(got.find(mutation.told), std::string::npos) << what << "\ngot: " << got;
    EXPECT_TRUE(std::regex_search(got, place)) << what << "\ngot: " << got;
  }
}

TEST(ConfigurationRefusals, RefusesBadSyntaxAndUnknownKeys) {
  expect_refused({
      {"[[ca]]", "[[ca]", "config.syntax", "x.toml:1"},
      {"max_san = 7", "max_san = 7\nmax_san = 8", "config.syntax", "max_san"},
      {"[[account]]", "[[acount]]", "config.unknown_key", "acount"},
      {"[[account]]", "[account]", "config.type", "account"},
      {"[[ca]]", "loose = 1\n[[ca]]", "config.unknown_key", "loose"},
      {"key = \"pkcs11", "kye = \"pkcs11", "config.unknown_key", "ca[issuing].kye"},
      {"max_san", "max_sans", "config.unknown_key", "end_entity_profile[device].max_sans"},
      {"backdate", "back_date", "config.unknown_key", "certificate_profile[device].back_date"},
      {"retry_window", "retrywindow", "config.unknown_key", "alias[est].retrywindow"},
      {"password_file", "password", "config.unknown_key", "account[1].password"},
  });
}

TEST(ConfigurationRefusals, RefusesMissingKeysAndWrongTypes) {
  expect_refused({
      {"name = \"issuing\"\n", "", "config.missing", "ca[1].name"},
      {"validity = \"365d\"\n", "", "config.missing", "certificate_profile[device].validity"},
      {"key_usage = [\"digitalSignature\", \"keyEncipherment\"]\n", "", "config.missing",
       "certificate_profile[device].key_usage"},
      {"ca = \"issuing\"\n", "", "config.missing", "alias[est].ca"},
      {"user = \"ra\"\n", "", "config.missing", "account[1].user"},
      {"name = \"issuing\"", "name = 3", "config.type", "ca[1].name"},
      {"validity = \"365d\"", "validity = 365", "config.type",
       "certificate_profile[device].validity"},
      {"required = [\"CN\"]", "required = \"CN\"", "config.type",
       "end_entity_profile[device].required"},
      {"required = [\"CN\"]", "required = [1]", "config.type",
       "end_entity_profile[device].required"},
      {"required = [\"CN\"]", "required = [\"\"]", "config.type",
       "end_entity_profile[device].required"},
      {"fixed = { O = \"Acme\" }", "fixed = [\"O\"]", "config.type",
       "end_entity_profile[device].fixed"},
      {"fixed = { O = \"Acme\" }", "fixed = { O = 1 }", "config.type",
       "end_entity_profile[device].fixed"},
      {"ca = true", "ca = \"yes\"", "config.type", "certificate_profile[sub-ca].ca"},
      {"max_san = 7", "max_san = \"7\"", "config.type", "end_entity_profile[device].max_san"},
      {"max_san = 7", "max_san = 7.5", "config.type", "end_entity_profile[device].max_san"},
      {"allow_same_key = false", "allow_same_key = 0", "config.type", "alias[est].allow_same_key"},
      {"user = \"ra\"", "user = \"\"", "config.value", "account[1].user"},
  });
}

TEST(ConfigurationRefusals, RefusesNamesThatAreNoLabels) {
  expect_refused({
      {"name = \"est\"", "name = \"e/st\"", "config.value", ".name"},
      {"name = \"est\"", "name = \"..\"", "config.value", ".name"},
      {"name = \"est\"", "name = \"a b\"", "config.value", ".name"},
      {"name = \"est\"", "name = \"é\"", "config.value", ".name"},
      {"name = \"est\"", "name = \"" + std::string(65, 'a') + "\"", "config.value", ".name"},
      {"name = \"issuing\"", "name = \"a/b\"", "config.value", ".name"},
      {"name = \"renew\"", "name = \"est\"", "config.duplicate", "alias[est].name"},
      {"name = \"sub-ca\"", "name = \"device\"", "config.duplicate", ".name"},
  });
}

TEST(ConfigurationRefusals, RefusesAliasesNamedLikeOperations) {
  for (const char* operation :
       {"cacerts", "simpleenroll", "simplereenroll", "fullcmc", "serverkeygen", "csrattrs", "pal",
        "eecerts", "crls", "symmetrickeys", "firmware", "tamp"}) {
    expect_refused({{"name = \"renew\"", "name = \"" + std::string(operation) + "\"",
                     "config.alias_name", operation}});
  }
}

TEST(ConfigurationRefusals, RefusesAbsentDefaultAlias) {
  std::string document = mutated("name = \"est\"", "name = \"other\"");
  const std::size_t account = document.find("alias = \"est\"");
  document.replace(account, std::string("alias = \"est\"").size(), "alias = \"other\"");
  EXPECT_TRUE(refusal(document).starts_with("config.no_default_alias | ")) << refusal(document);
  EXPECT_TRUE(refusal("").starts_with("config.no_default_alias | "));
}

TEST(ConfigurationRefusals, RefusesKeyUrisThatNameNoKeyOrTooMuch) {
  const std::string good = "pkcs11:token=factory;object=issuing;type=private";
  for (const char* bad :
       {"file:/ca.key", "pkcs11:token=factory", "pkcs11:object=a;object=b",
        "pkcs11:object=a?pin-value=1", "pkcs11:object=a?pin-source=file:/pin",
        "pkcs11:object=a;slot-id=3", "pkcs11:object=a;type=cert", "pkcs11:object=a b",
        "pkcs11:object=%4", "pkcs11:object=", "pkcs11:object", "pkcs11:"}) {
    expect_refused({{good, bad, "config.key_uri", "ca[issuing].key"}});
  }
  for (const char* also_good :
       {"pkcs11:id=%01%02", "pkcs11:token=a%20b;object=x;type=private;id=%FF"}) {
    EXPECT_EQ(refusal(mutated(good, also_good)), "");
  }
}

TEST(ConfigurationRefusals, RefusesBrokenChains) {
  const std::string pem = issuing_pem() + root_pem();
  expect_refused({
      {pem, issuing_pem(), "config.chain", "must end with the root"},
      {pem, root_pem() + issuing_pem(), "config.chain", "ca[issuing].certificates"},
      {pem, issuing_pem() + issuing_pem() + root_pem(), "config.chain", "is not issued by"},
      {pem, "rubbish\n", "config.value", "ca[issuing].certificates"},
      {pem, "\n", "config.value", "ca[issuing].certificates"},
  });
}

TEST(ConfigurationRefusals, RefusesNameRulesThatCannotBe) {
  expect_refused({
      {"required = [\"CN\"]", "required = [\"XX\"]", "config.value",
       "end_entity_profile[device].required"},
      {"required = [\"CN\"]", "required = [\"commonName\"]", "config.value",
       "end_entity_profile[device].required"},
      {"required = [\"CN\"]", "required = [\"CN\", \"CN\"]", "config.duplicate", "stands twice"},
      {"optional = [\"OU\"", "optional = [\"CN\"", "config.duplicate", "CN has two rules"},
      {"O = \"Acme\"", "C = \"Germany\"", "config.value", "end_entity_profile[device].fixed"},
      {"\"uri\"", "\"directory\"", "config.value", "end_entity_profile[device].san"},
      {"\"uri\"", "\"dns\"", "config.duplicate", "end_entity_profile[device].san"},
      {"max_san = 7", "max_san = 101", "config.value", "between 0 and 100"},
      {"max_san = 7", "max_san = -1", "config.value", "between 0 and 100"},
  });
}

TEST(ConfigurationRefusals, RefusesProfilesThatCannotBe) {
  expect_refused({
      {"\"365d\"", "\"365\"", "config.value", "certificate_profile[device].validity"},
      {"\"365d\"", "\"1y\"", "config.value", "certificate_profile[device].validity"},
      {"\"365d\"", "\"-1d\"", "config.value", "certificate_profile[device].validity"},
      {"\"365d\"", "\"0d\"", "config.value", "certificate_profile[device].validity"},
      {"\"365d\"", "\"99999999999d\"", "config.value", "certificate_profile[device].validity"},
      {"\"365d\"", "\"1d1\"", "config.value", "certificate_profile[device].validity"},
      {"\"5m\"", "\"30d\"", "config.value", "certificate_profile[device].backdate"},
      {"\"P-256\", \"RSA-2048\"", "\"P-256\", \"RSA-1024\"", "config.value", ".key_types"},
      {"[\"P-256\", \"RSA-2048\"]", "[]", "config.value", ".key_types"},
      {"\"keyEncipherment\"", "\"keyEncypherment\"", "config.value", ".key_usage"},
      {"[\"digitalSignature\", \"keyEncipherment\"]", "[]", "config.value", ".key_usage"},
      {"\"keyEncipherment\"", "\"keyCertSign\"", "config.value", "ca = true"},
      {"\"keyEncipherment\"", "\"cRLSign\"", "config.value", "ca = true"},
      {"[\"keyCertSign\", \"cRLSign\"]", "[\"cRLSign\"]", "config.value", "needs keyCertSign"},
      {"ca = true\n", "", "config.value", "certificate_profile[sub-ca].key_usage"},
      {"ocsp = [\"http", "path_length = 1\nocsp = [\"http", "config.value", ".path_length"},
      {"path_length = 0", "path_length = -1", "config.value", ".path_length"},
      {"\"clientAuth\"", "\"clientauth\"", "config.value", ".extended_key_usage"},
      {"\"clientAuth\"", "\"1.2.x\"", "config.value", ".extended_key_usage"},
      {"\"1.3.6.1.4.1.99999.1\"", "\"1.3.6.1.5.5.7.3.2\"", "config.duplicate",
       ".extended_key_usage"},
      {"http://pki.example/ocsp", "https://pki.example/ocsp", "config.value", ".ocsp"},
      {"http://pki.example/ocsp", "http://", "config.value", ".ocsp"},
      {"http://pki.example/issuing.crl", "http://pki example", "config.value",
       ".crl_distribution_points"},
      {"http://pki.example/issuing.cer", "pki.example", "config.value", ".ca_issuers"},
  });
}

TEST(ConfigurationRefusals, RefusesAliasesThatCannotBe) {
  expect_refused({
      {"ca = \"issuing\"", "ca = \"other\"", "config.reference", "alias[est].ca"},
      {"end_entity_profile = \"device\"", "end_entity_profile = \"x\"", "config.reference",
       "alias[est].end_entity_profile"},
      {"certificate_profile = \"device\"", "certificate_profile = \"x\"", "config.reference",
       "alias[est].certificate_profile"},
      {"certificate_profile = \"device\"", "certificate_profile = \"sub-ca\"",
       "config.ca_profile_on_alias", "makes CAs"},
      {"[\"client-certificate\", \"basic\"]", "[]", "config.value", "alias[est].authenticators"},
      {"[\"client-certificate\", \"basic\"]", "[\"none\"]", "config.value",
       "alias[est].authenticators"},
      {"[\"client-certificate\", \"basic\"]", "[\"basic\", \"basic\"]", "config.duplicate",
       "alias[est].authenticators"},
      {"ra_scope = \"CN=device-*, O=Acme, dns=*.acme.example\"\n", "", "config.scope_missing",
       "alias[est].ra_scope"},
      {"\"CN=device-*, O=Acme, dns=*.acme.example\"", "\"\"", "config.value",
       "alias[est].ra_scope"},
      {"CN=device-*, O=Acme", "everything", "config.value", "alias[est].ra_scope"},
      {"dns=*.acme.example", "ip=10.0.0.0/99", "config.value", "alias[est].ra_scope"},
      {"channel_binding = \"required\"", "channel_binding = \"on\"", "config.value",
       "alias[est].channel_binding"},
      {"name_parameters = [\"CN\"]", "name_parameters = [\"CN\", \"UID\"]", "config.username_field",
       "alias[est].name_parameters"},
      {"name_parameters = [\"CN\"]", "name_parameters = [\"O\"]", "config.username_field",
       "is fixed"},
      {"retry_window = \"90s\"", "retry_window = \"2d\"", "config.value",
       "alias[est].retry_window"},
      {"retry_window = \"90s\"", "retry_window = \"soon\"", "config.value",
       "alias[est].retry_window"},
  });
}

TEST(ConfigurationRefusals, RefusesAccountsThatCannotBe) {
  expect_refused({
      {"[[account]]\nalias = \"est\"", "[[account]]\nalias = \"none\"", "config.reference",
       "account[1].alias"},
      {"[[account]]\nalias = \"est\"", "[[account]]\nalias = \"renew\"", "config.account_unused",
       "account[1].alias"},
      {"user = \"ra\"", "user = \"r:a\"", "config.value", "account[1].user"},
      {"user = \"ra\"", "user = \"r a\"", "config.value", "account[1].user"},
      {"user = \"ra\"", "user = \"" + std::string(65, 'a') + "\"", "config.value",
       "account[1].user"},
      {"[[account]]", "[[account]]\nalias = \"est\"\nuser = \"ra\"\n[[account]]",
       "config.duplicate", "account[2].user"},
  });
}

TEST(ConfigurationRefusals, NamesTheLine) {
  const std::string got = refusal(mutated("retry_window = \"90s\"", "retry_window = \"soon\""));
  const std::string& good = good_document();
  const auto line =
      1 + std::count(good.begin(),
                     good.begin() + static_cast<std::ptrdiff_t>(good.find("retry_window")), '\n');
  EXPECT_NE(got.find("x.toml:" + std::to_string(line) + ": alias[est].retry_window: "),
            std::string::npos)
      << got;
}

}  // namespace
}  // namespace estia::provision
