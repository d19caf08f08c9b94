// SPDX-License-Identifier: Apache-2.0
// The alias's settings of both modes: defaults, what cannot be, and that printing loses nothing.
#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "server/provision/configuration_document.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

/// The good document with one more alias of these lines.
std::string with_alias(const std::string& lines) {
  return test::good_document() + "\n[[alias]]\nname = \"more\"\nca = \"issuing\"\n" + lines;
}

constexpr const char* kProfiles =
    "end_entity_profile = \"device\"\ncertificate_profile = \"device\"\n";

std::string refusal(const std::string& lines) {
  try {
    static_cast<void>(parse(with_alias(lines), "x.toml"));
  } catch (const Error& error) {
    return error.id() + " " + error.what();
  }
  return "accepted";
}

ca::Alias parsed(const std::string& lines) {
  return parse(with_alias(lines), "x.toml").contents.aliases.at("more");
}

TEST(AliasModes, DefaultsAreEjbcas) {
  const ca::Alias ra = parsed(kProfiles);
  EXPECT_EQ(ra.mode, ca::AliasMode::ra);
  EXPECT_EQ(ra.authenticators, std::vector{ca::Authenticator::client_certificate});
  EXPECT_EQ(ra.name_scheme, ca::NameScheme::dn);
  EXPECT_EQ(ra.name_parameters, std::vector<std::string>{"CN"});
  EXPECT_TRUE(ra.allow_same_key);
  const ca::Alias client = parsed("mode = \"client\"\n");
  EXPECT_EQ(client.authenticators, std::vector{ca::Authenticator::code});
  EXPECT_EQ(client.code_source, ca::CodeSource::challenge_password);
  EXPECT_EQ(client.username_field, "DN");
}

TEST(AliasModes, PrintingAndParsingLosesNothing) {
  const std::string fingerprint(64, 'a');
  for (const std::string& lines :
       {std::string(kProfiles) +
            "authenticators = [\"client-certificate+basic\"]\nra_scope = \"any\"\n"
            "name_scheme = \"dn\"\nname_parameters = [\"SN\", \"CN\", \"DN\"]\n"
            "name_prefix = \"p\"\nname_postfix = \"-${RANDOM}\"\nra_certificates = [\"" +
            fingerprint + "\"]\n",
        std::string(kProfiles) + "name_scheme = \"random\"\n",
        std::string(kProfiles) + "name_scheme = \"username\"\n",
        std::string(kProfiles) + "name_scheme = \"fixed\"\nname_parameters = [\"line\"]\n",
        std::string(
            "mode = \"client\"\ncode_source = \"dn-part\"\ncode_field = \"OU\"\n"
            "username_field = \"CN\"\nauthenticators = [\"client-certificate\", \"code\"]\n"),
        std::string(
            "mode = \"client\"\ncode_source = \"basic\"\nend_entity_profile = \"device\"\n")}) {
    const ParsedConfiguration once = parse(with_alias(lines), "x.toml");
    const std::string printed = print(once);
    EXPECT_EQ(print(parse(printed, "y.toml")), printed) << lines;
    for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
      const std::string key = lines.substr(at, lines.find(' ', at) - at);
      EXPECT_NE(print(once.contents.aliases.at("more")).find(key + " = "), std::string::npos)
          << key;
    }
  }
}

TEST(AliasModes, OverridesArePrintedToo) {
  const std::string document = test::mutated(
      "backdate = \"5m\"",
      "override_subject = true\noverride_san = true\noverride_key_usage = true\n"
      "override_validity = true\noverride_extensions = [\"2.5.29.32\"]\nstrict_override = true");
  const ParsedConfiguration configuration = parse(document, "x.toml");
  const ca::CertificateProfile& profile = configuration.contents.certificate_profile("device");
  EXPECT_TRUE(profile.override_subject && profile.override_san && profile.override_key_usage &&
              profile.override_validity && profile.strict_override);
  EXPECT_EQ(profile.override_extensions, std::vector<std::string>{"2.5.29.32"});
  const std::string printed = print(configuration);
  EXPECT_EQ(print(parse(printed, "y.toml")), printed);
}

TEST(AliasModes, WhatCannotBeIsRefusedWithTheKey) {
  const std::string ra = kProfiles;
  const std::string client = "mode = \"client\"\n";
  const struct {
    std::string lines;
    const char* says;
  } cases[] = {
      {"mode = \"RA\"\n", "alias[more].mode: 'RA' must be one of ra, client"},
      {"certificate_profile = \"device\"\n", "alias[more].end_entity_profile: is needed"},
      {"end_entity_profile = \"device\"\n", "alias[more].certificate_profile: is needed"},
      {ra + "authenticators = [\"code\"]\n", "alias[more].authenticators"},
      {ra + "authenticators = [\"both\"]\n",
       "one of client-certificate, basic, client-certificate+basic, code, vendor-certificate"},
      {ra + "authenticators = [\"client-certificate+basic\"]\n", "alias[more].ra_scope: is needed"},
      {ra + "ra_certificates = [\"" + std::string(64, 'a') + "\"]\n",
       "alias[more].ra_scope: is needed"},
      {ra + "ra_scope = \"any\"\nra_certificates = [\"abcd\"]\n", "alias[more].ra_certificates"},
      {ra + "ra_scope = \"any\"\nra_certificates = [\"xyz\"]\n", "alias[more].ra_certificates"},
      {ra + "code_source = \"basic\"\n", "code_source: is for mode = \"client\" only"},
      {ra + "username_field = \"CN\"\n", "username_field: is for mode = \"client\" only"},
      {ra + "further_cas = [\"issuing\"]\n", "further_cas: is for mode = \"client\" only"},
      {ra + "name_scheme = \"DN\"\n", "alias[more].name_scheme"},
      {ra + "name_scheme = \"random\"\nname_parameters = [\"CN\"]\n", "name_parameters"},
      {ra + "name_scheme = \"fixed\"\n", "must be the one name"},
      {ra + "name_scheme = \"fixed\"\nname_parameters = [\"a\", \"b\"]\n", "must be the one name"},
      {ra + "name_parameters = []\n", "must name a field"},
      {ra + "name_parameters = [\"UID\"]\n", "does not allow UID"},
      {ra + "name_parameters = [\"O\"]\n", "is fixed"},
      {client + "authenticators = [\"basic\"]\n", "for mode = \"ra\" only"},
      {client + "ra_scope = \"any\"\n", "ra_scope: is for mode = \"ra\" only"},
      {client + "name_scheme = \"random\"\n", "name_scheme: is for mode = \"ra\" only"},
      {client + "further_cas = [\"none\"]\n", "alias[more].further_cas"},
      {client + "code_source = \"header\"\n", "challenge-password, dn-part, basic"},
      {client + "code_source = \"dn-part\"\n", "alias[more].code_field"},
      {client + "code_field = \"OU\"\n", "alias[more].code_field"},
      {client + "code_source = \"dn-part\"\ncode_field = \"DN\"\n", "a field of its own"},
      {client + "code_source = \"dn-part\"\ncode_field = \"CN\"\nusername_field = \"CN\"\n",
       "a field of its own"},
      {client + "code_source = \"dn-part\"\ncode_field = \"2.5.4.3\"\nusername_field = \"CN\"\n",
       "a field of its own"},
      {client + "code_source = \"dn-part\"\ncode_field = \"organizationalUnitName\"\n",
       "must be written OU"},
      {client + "username_field = \"commonName\"\n", "must be written CN"},
      {client + "username_field = \"nothing\"\n", "alias[more].username_field"},
      {client + "authenticators = [\"code\", \"client-certificate\"]\n", "must come last"},
      {client + "certificate_profile = \"sub-ca\"\n", "makes CAs"},
  };
  for (const auto& [lines, says] : cases) {
    EXPECT_NE(refusal(lines).find(says), std::string::npos) << lines << "gave: " << refusal(lines);
  }
  EXPECT_EQ(refusal(ra), "accepted");
  EXPECT_EQ(refusal(client), "accepted");
  // The keys of RA mode are no business of client mode, whatever the profile allows.
  const std::string no_cn = test::mutated("required = [\"CN\"]\noptional = [\"OU\"",
                                          "required = [\"OU\"]\noptional = [\"UID\"");
  EXPECT_THROW(static_cast<void>(parse(no_cn, "x.toml")), Error) << "est names by CN";
  std::string document = no_cn;
  document.replace(document.find("[\"CN\"]"), 6, "[\"OU\"]");
  document.replace(document.find("[[alias]]\nname = \"renew\""), 9,
                   "[[alias]]\nname = \"more\"\nca = \"issuing\"\nmode = \"client\"\n"
                   "end_entity_profile = \"device\"\n\n[[alias]]\nname_parameters = [\"OU\"]");
  EXPECT_NO_THROW(static_cast<void>(parse(document, "x.toml")));
}

TEST(AliasModes, WhatTheCaMakesItselfCannotBeTakenOver) {
  for (const char* oid :
       {"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.35", "2.5.29.31",
        "2.5.29.33", "2.5.29.36", "2.5.29.46", "2.5.29.54", "1.3.6.1.5.5.7.1.1",
        "2.16.840.1.113730.1.1", "not.an.oid"}) {
    const std::string document =
        test::mutated("backdate = \"5m\"", "override_extensions = [\"" + std::string(oid) + "\"]");
    EXPECT_THROW(static_cast<void>(parse(document, "x.toml")), Error) << oid;
  }
}

}  // namespace
}  // namespace estia::provision
