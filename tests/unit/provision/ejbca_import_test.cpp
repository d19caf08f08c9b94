// SPDX-License-Identifier: Apache-2.0
// Each setting of EJBCA's aliases, present and absent, and what it becomes.
#include "server/provision/ejbca_import.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "server/provision/configuration_document.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

EjbcaImport imported(const std::string& text, const std::optional<std::string>& scope = "CN=*") {
  return import_ejbca(
      {.text = text,
       .source = "d",
       .maps = {"ca:-12=issuing", "ca:=issuing", "eeprofile:1=device", "eeprofile:7=device",
                "certprofile:1=device", "certprofile:9=device"},
       .ra_scope = scope});
}

/// The aliases as a document reads them back, among the objects they refer to.
std::map<std::string, ca::Alias, std::less<>> aliases_of(const EjbcaImport& import) {
  const ParsedConfiguration parsed = parse(test::good_document() + "\n" + import.toml, "x.toml");
  return parsed.contents.aliases;
}

/// Alias "a" of these settings ("key=value"), without "a." in front.
ca::Alias alias(const std::vector<std::string>& settings) {
  std::string text = "a.defaultca=-12\n";
  for (const std::string& setting : settings) {
    text += "a." + setting + "\n";
  }
  return aliases_of(imported(text)).at("a");
}

ca::Alias client(std::vector<std::string> settings) {
  settings.emplace_back("operationmode=client");
  return alias(settings);
}

std::size_t lines_with(const std::vector<std::string>& lines, const std::string& part) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

TEST(EjbcaImport, AbsentSettingsHaveEjbcasDefaults) {
  const ca::Alias a = alias({});
  EXPECT_EQ(a.mode, ca::AliasMode::ra);
  EXPECT_EQ(a.ca, "issuing");
  EXPECT_EQ(a.end_entity_profile, "device");
  EXPECT_EQ(a.certificate_profile, "device");
  EXPECT_EQ(a.authenticators, std::vector{ca::Authenticator::client_certificate});
  EXPECT_TRUE(a.allow_same_key);
  EXPECT_EQ(a.name_scheme, ca::NameScheme::random) << "not DN, which a new alias has";
  EXPECT_EQ(a.name_prefix + a.name_postfix, "");
  const ca::Alias c = client({});
  EXPECT_EQ(c.authenticators, std::vector{ca::Authenticator::code});
  EXPECT_EQ(c.code_source, ca::CodeSource::challenge_password);
  EXPECT_EQ(c.username_field, "DN");
  EXPECT_EQ(c.end_entity_profile + c.certificate_profile, "") << "they count in RA mode only";
  const EjbcaImport bare = imported("a.operationmode=ra\n");
  EXPECT_EQ(lines_with(bare.took, "a.defaultca (absent: '')"), 1U);
  EXPECT_EQ(lines_with(bare.took, "a.ra.namegenerationscheme (absent: 'RANDOM')"), 1U);
}

TEST(EjbcaImport, EverySettingOfRaMode) {
  EXPECT_EQ(alias({"operationmode=ra"}).mode, ca::AliasMode::ra);
  EXPECT_EQ(alias({"operationmode=Client"}).mode, ca::AliasMode::ra) << "anything but client";
  EXPECT_EQ(alias({"eeprofile=7"}).end_entity_profile, "device");
  EXPECT_EQ(alias({"certprofile=9"}).certificate_profile, "device");
  using Authenticators = std::vector<ca::Authenticator>;
  EXPECT_EQ(alias({"requirecert=true", "requsername=ra", "reqpassword=x"}).authenticators,
            Authenticators{ca::Authenticator::certificate_and_basic});
  EXPECT_EQ(alias({"requirecert=FALSE", "requsername=ra", "reqpassword=x"}).authenticators,
            Authenticators{ca::Authenticator::basic});
  EXPECT_EQ(alias({"requirecert=true", "requsername="}).authenticators,
            Authenticators{ca::Authenticator::client_certificate});
  EXPECT_FALSE(alias({"allowupdatewithsamekey=false"}).allow_same_key);
  EXPECT_EQ(alias({}).ra_scope.text(), "CN=*");
}

TEST(EjbcaImport, EverySchemeOfNames) {
  const std::string key = "ra.namegenerationscheme=";
  const std::string parameters = "ra.namegenerationparameters=";
  const auto set = [&](const std::string& scheme, const std::string& with) {
    return alias({key + scheme, parameters + with});
  };
  EXPECT_EQ(set("DN", "CN;OU; serialNumber").name_parameters,
            (std::vector<std::string>{"CN", "OU", "serialNumber"}));
  EXPECT_EQ(set("DN", "SN;CN").name_parameters, (std::vector<std::string>{"SN", "CN"}));
  EXPECT_EQ(alias({key + "DN"}).name_parameters, std::vector<std::string>{"CN"});
  EXPECT_EQ(set("FIXED", "a;b").name_parameters, std::vector<std::string>{"a;b"});
  EXPECT_EQ(set("FIXED", "a").name_scheme, ca::NameScheme::fixed);
  EXPECT_EQ(set("RANDOM", "CN").name_scheme, ca::NameScheme::random);
  EXPECT_EQ(set("USERNAME", "").name_scheme, ca::NameScheme::username);
  const ca::Alias affixes =
      alias({"ra.namegenerationprefix=p-", "ra.namegenerationpostfix=-${RANDOM}"});
  EXPECT_EQ(affixes.name_prefix, "p-");
  EXPECT_EQ(affixes.name_postfix, "-${RANDOM}");
}

TEST(EjbcaImport, EverySettingOfClientMode) {
  EXPECT_EQ(client({"authenticationmodule=ChallengePwd"}).code_source,
            ca::CodeSource::challenge_password);
  EXPECT_EQ(client({"authenticationmodule=HttpBasicAuth"}).code_source, ca::CodeSource::basic);
  const ca::Alias dn = client({"authenticationmodule=DnPartPwd", "extractdnpartpwdcomponent=OU",
                               "extractusernamecomponent=CN"});
  EXPECT_EQ(dn.code_source, ca::CodeSource::dn_part);
  EXPECT_EQ(dn.code_field, "OU");
  EXPECT_EQ(dn.username_field, "CN");
  // Without a module it is decided here, and said so.
  const EjbcaImport without = imported("a.operationmode=client\na.authenticationmodule=\n");
  EXPECT_EQ(aliases_of(without).at("a").code_source, ca::CodeSource::challenge_password);
  EXPECT_EQ(lines_with(without.differs, "no authenticationmodule"), 1U);
}

TEST(EjbcaImport, ChangeSubjectNameIsForTheFirstEnrolmentOnly) {
  for (const std::string mode : {"ra", "client"}) {
    const std::string text =
        "a.defaultca=-12\na.operationmode=" + mode + "\na.allowchangesubjectname=";
    const EjbcaImport on = imported(text + "true\n");
    EXPECT_TRUE(aliases_of(on).at("a").allow_change_subject_name);
    EXPECT_FALSE(aliases_of(on).at("a").allow_change_subject_name_at_renewal);
    EXPECT_EQ(lines_with(on.took, "a.allowchangesubjectname = 'true'"), 1U);
    EXPECT_FALSE(aliases_of(imported(text + "false\n")).at("a").allow_change_subject_name);
  }
}

TEST(EjbcaImport, ServerkeygenGivesPkcs8AsThere) {
  for (const std::string mode : {"ra", "client"}) {
    const std::string text = "a.operationmode=" + mode + "\na.severkeygenenabled=";
    const EjbcaImport on = imported(text + "true\n");
    EXPECT_EQ(lines_with(on.took, "a.severkeygenenabled = 'true': serverkeygen"), 1U);
    EXPECT_NE(on.toml.find("serverkeygen = [\"pkcs8\"]\n"), std::string::npos) << on.toml;
    const EjbcaImport off = imported(text + "false\n");
    EXPECT_EQ(lines_with(off.took, "a.severkeygenenabled = 'false'"), 1U);
    EXPECT_EQ(off.toml.find("serverkeygen"), std::string::npos) << off.toml;
  }
}

TEST(EjbcaImport, WhatIsNotBuiltIsNeverSilent) {
  for (const std::string mode : {"ra", "client"}) {
    const std::string key = "supportproxyca";
    const std::string text = "a.operationmode=" + mode + "\na." + key + "=";
    EXPECT_EQ(lines_with(imported(text + "true\n").not_taken, "a." + key + " = 'true'"), 1U);
    const EjbcaImport off = imported(text + "false\n");
    EXPECT_EQ(lines_with(off.not_taken, key), 0U);
    EXPECT_EQ(lines_with(off.took, "a." + key + " = 'false'"), 1U);
  }
  // The right spelling is the wrong one.
  EXPECT_EQ(lines_with(imported("a.operationmode=ra\na.serverkeygenenabled=true\n").not_taken,
                       "d:2: a.serverkeygenenabled: no setting"),
            1U);
}

/// Every known key at once, in both modes: each one in exactly one list, and no value lost.
TEST(EjbcaImport, EachSettingIsReportedOnce) {
  const std::string rest =
      "a.defaultca=-12\na.eeprofile=7\na.certprofile=9\na.requirecert=true\na.requsername=line-7\n"
      "a.reqpassword=the-secret\na.allowupdatewithsamekey=true\na.ra.namegenerationscheme=DN\n"
      "a.ra.namegenerationparameters=CN\na.ra.namegenerationprefix=\n"
      "a.ra.namegenerationpostfix=\na.vendorcertificatemode=false\na.vendorcaids=\na.vendorca=\n"
      "a.extractusernamecomponent=DN\na.authenticationmodule=\na.extractdnpartpwdcomponent=DN\n"
      "a.allowchangesubjectname=false\na.supportproxyca=false\na.severkeygenenabled=false\n"
      "a.unheard=of\n";
  for (const std::string mode : {"ra", "client"}) {
    const std::string text = "a.operationmode=" + mode + "\n" + rest;
    const EjbcaImport import = imported(text);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      const std::string key = text.substr(at, text.find('=', at) - at);
      std::size_t found = 0;
      for (const auto* list : {&import.took, &import.not_taken}) {
        for (const char* end : {" ", ":"}) {
          found += lines_with(*list, key + end);
        }
      }
      EXPECT_EQ(found, 1U) << mode << " " << key;
    }
    std::string all = import.toml;
    for (const auto* list : {&import.took, &import.differs, &import.not_taken}) {
      for (const std::string& line : *list) {
        all += line + "\n";
      }
    }
    EXPECT_EQ(all.find("the-secret"), std::string::npos);
    EXPECT_EQ(all.find("= 'of'"), std::string::npos) << "of an unknown key";
  }
}

TEST(EjbcaImport, AliasNamesMayHaveDots) {
  const EjbcaImport import = imported(
      "plant.defaultca=-12\nplant.operationmode=client\n"
      "plant.7.defaultca=-12\nplant.7.ra.namegenerationscheme=USERNAME\n"
      "plant.7.ra.allowupdatewithsamekey=false\nplant.ra.ra.namegenerationscheme=DN\n");
  const auto aliases = aliases_of(import);
  EXPECT_EQ(aliases.at("plant").mode, ca::AliasMode::client);
  EXPECT_EQ(aliases.at("plant.7").name_scheme, ca::NameScheme::username);
  EXPECT_TRUE(aliases.at("plant.7").allow_same_key);
  EXPECT_FALSE(aliases.at("plant.7.ra").allow_same_key);
  EXPECT_EQ(aliases.at("plant.ra").name_scheme, ca::NameScheme::dn);
}

TEST(EjbcaImport, TheAccountIsThereToBeSetAnew) {
  const EjbcaImport import =
      imported("a.requirecert=false\na.requsername=l\\u0069ne\na.reqpassword=x\n");
  EXPECT_NE(import.toml.find("\n# [[account]]\n# alias = \"a\"\n# user = \"line\"\n"
                             "# password_file = \"a.password\"\n"),
            std::string::npos)
      << import.toml;
  EXPECT_EQ(lines_with(import.not_taken, "a.reqpassword: cannot be recovered"), 1U);
  std::string uncommented = import.toml;
  for (const char* line : {"[[account]]", "alias = \"a\"", "user = ", "password_file = "}) {
    const std::size_t at = uncommented.find(std::string("# ") + line);
    ASSERT_NE(at, std::string::npos) << line;
    uncommented.erase(at, 2);
  }
  const ParsedConfiguration parsed = parse(test::good_document() + "\n" + uncommented, "x.toml");
  EXPECT_EQ(parsed.accounts.at(1).user, "line");
}

TEST(EjbcaImport, AMapNobodyNeededIsReported) {
  const EjbcaImport import = imported("a.defaultca=-12\n");
  EXPECT_EQ(lines_with(import.not_taken, "--map eeprofile:7=device: no setting"), 1U);
  EXPECT_EQ(lines_with(import.not_taken, "--map ca:-12"), 0U);
}

}  // namespace
}  // namespace estia::provision
