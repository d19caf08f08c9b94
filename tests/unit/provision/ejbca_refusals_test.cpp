// SPDX-License-Identifier: Apache-2.0
// Dumps that cannot be imported, and what the operator is told.
#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "server/provision/ejbca_import.h"
#include "tests/support/refusal.h"

namespace estia::provision {
namespace {

const std::vector<std::string> kMaps{"ca:1=issuing", "eeprofile:1=device", "certprofile:1=device"};

/// "id text" of the refusal.
std::string refusal(const std::string& text, const std::optional<std::string>& scope = "any",
                    const std::vector<std::string>& maps = kMaps) {
  try {
    static_cast<void>(import_ejbca({.text = text, .source = "d", .maps = maps, .ra_scope = scope}));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::config) << error.what();
    return error.id() + " " + error.what();
  }
  return "taken";
}

void expect_refusal(const std::string& text, const std::string& told) {
  EXPECT_EQ(refusal("a.defaultca=1\n" + text).substr(0, told.size()), told) << text;
}

TEST(EjbcaRefusals, AnUnmappedIdNamesItsKey) {
  EXPECT_EQ(refusal("\na.defaultca=-77\n"),
            "ejbca.unmapped d:2: a.defaultca = '-77': nothing says what this is here: --map "
            "'ca:-77=NAME'");
  EXPECT_EQ(refusal("a.operationmode=ra\n").find("ejbca.unmapped d: a.defaultca (absent: '')"), 0U);
  expect_refusal("a.eeprofile=5", "ejbca.unmapped d:2: a.eeprofile = '5'");
  expect_refusal("a.certprofile=5", "ejbca.unmapped d:2: a.certprofile = '5'");
  EXPECT_EQ(refusal("a.defaultca=1\n", "any", {"ca:1=issuing"}),
            "ejbca.unmapped d: a.eeprofile (absent: '1'): nothing says what this is here: --map "
            "'eeprofile:1=NAME'\n"
            "d: a.certprofile (absent: '1'): nothing says what this is here: --map "
            "'certprofile:1=NAME'")
      << "all of them at once";
  // An older dump names its CA, with whatever stands in a name.
  EXPECT_EQ(refusal("a.operationmode=client\na.defaultca=CN\\=x:y\n", "any", {"ca:CN=x:y=issuing"}),
            "taken");
}

TEST(EjbcaRefusals, AVendorsIdIsOfAVendor) {
  const std::string text = "a.operationmode=client\na.vendorcertificatemode=true\n";
  expect_refusal(text + "a.vendorcaids=1;2",
                 "ejbca.unmapped d:4: a.vendorcaids = '1;2': nothing says what this is here: --map "
                 "'vendorca:1=NAME'");
  std::vector<std::string> maps = kMaps;
  maps.emplace_back("vendorca:1=acme");
  const auto listed = [&](const std::string& list) {
    return refusal("a.defaultca=1\n" + text + list + "\n", "any", maps);
  };
  EXPECT_EQ(listed("a.vendorcaids=1"), "taken");
  EXPECT_EQ(listed("a.vendorcaids=1;2").find("ejbca.unmapped d:4: a.vendorcaids = '1;2'"), 0U);
  EXPECT_EQ(listed("a.vendorca=2").find("ejbca.unmapped d:4: a.vendorca = '2'"), 0U);
}

TEST(EjbcaRefusals, Maps) {
  for (const char* map : {"", "ca", "ca:1", "ca:1=", "=ca:1", "profile:1=x", "CA:1=x", "ca=1:x",
                          "vendorca:1", "vendorca:1="}) {
    EXPECT_EQ(refusal("a.defaultca=1\n", "any", {map}).find("ejbca.map "), 0U) << map;
  }
  EXPECT_EQ(refusal("a.defaultca=1\n", "any", {"ca:1=x", "ca:1=y"}).find("ejbca.map "), 0U);
}

TEST(EjbcaRefusals, Values) {
  for (const char* setting : {"requirecert=yes", "requirecert=", "allowupdatewithsamekey=1",
                              "vendorcertificatemode=x", "severkeygenenabled=", "supportproxyca=on",
                              "allowchangesubjectname=x", "ra.namegenerationscheme=",
                              "ra.namegenerationscheme=dn", "ra.namegenerationscheme=FIXED"}) {
    expect_refusal(std::string("a.") + setting, "ejbca.value d");
  }
  expect_refusal("a.operationmode=client\na.authenticationmodule=Other",
                 "ejbca.value d:3: a.authenticationmodule = 'Other': must be ChallengePwd");
  for (const char* hidden : {"a.ra.namegenerationprefix=a\\u202Eb", "a.requsername=x\\n",
                             "a.vendorcaids=\\u001b[2J", "a\\u200b.defaultca=1"}) {
    expect_refusal(hidden, "ejbca.value d:2: key or value holds a character nobody sees");
  }
}

TEST(EjbcaRefusals, NobodyIsLetInUnasked) {
  expect_refusal("a.requirecert=false", "ejbca.open_to_all d:2: a.requirecert = 'false'");
  expect_refusal("a.requirecert=false\na.requsername=\na.reqpassword=x", "ejbca.open_to_all ");
}

TEST(EjbcaRefusals, AnAccountNeedsAScopeThatIsSaid) {
  const std::string text = "a.defaultca=1\na.requsername=line\n";
  EXPECT_EQ(refusal(text, std::nullopt).find("ejbca.scope_missing d:2: a.requsername = 'line'"),
            0U);
  EXPECT_EQ(refusal(text, "").find("scope.invalid"), 0U);
  EXPECT_EQ(refusal(text, "everything").find("scope.invalid"), 0U);
  EXPECT_EQ(refusal(text, "any"), "taken");
  EXPECT_EQ(refusal("a.defaultca=1\n", std::nullopt), "taken") << "without an account";
}

TEST(EjbcaRefusals, WhatCannotBeAnAliasHereSaysWhy) {
  const auto named = [](const std::string& name) { return refusal(name + ".defaultca=1\n"); };
  EXPECT_EQ(named("cacerts"),
            "ejbca.alias d: alias 'cacerts' cannot be an alias here: alias[cacerts].name: is the "
            "name of an EST operation");
  for (const char* name : {"a\\ b", "a/b", "..", "\\u00e9", "a\\\"b"}) {
    EXPECT_EQ(named(name).find("ejbca.alias d: alias '"), 0U) << name << " " << named(name);
  }
  EXPECT_EQ(named(std::string(65, 'a')).find("ejbca.alias "), 0U);
  EXPECT_EQ(named(std::string(64, 'a')), "taken");
  for (const char* settings :
       {"a.ra.namegenerationscheme=DN\na.ra.namegenerationparameters=CN;nothing",
        "a.ra.namegenerationscheme=DN\na.ra.namegenerationparameters=CN;;UID",
        "a.ra.namegenerationscheme=DN\na.ra.namegenerationparameters=",
        "a.ra.namegenerationscheme=FIXED\na.ra.namegenerationparameters=",
        "a.operationmode=client\na.authenticationmodule=DnPartPwd",
        "a.operationmode=client\na.extractusernamecomponent=", "a.requsername=a:b"}) {
    expect_refusal(settings, "ejbca.alias d: alias 'a' cannot be an alias here: ");
  }
}

TEST(EjbcaRefusals, AFileWithoutAliases) {
  for (const char* text : {"", "# nothing\n", "defaultca=1\n", ".defaultca=1\n", "a.b=c\n"}) {
    EXPECT_EQ(refusal(text).find("ejbca.no_alias d: "), 0U) << text;
  }
}

/// An unknown key is reported, so it must not be able to write on a terminal.
TEST(EjbcaRefusals, AnUnknownKeyIsShownAsWhatCanBeSeen) {
  const EjbcaImport import = import_ejbca({.text = "a.defaultca=1\n\\u001b[2J=x\n",
                                           .source = "d",
                                           .maps = kMaps,
                                           .ra_scope = std::nullopt});
  EXPECT_EQ(import.not_taken.at(0),
            "d:2: (a key with U+001B): no setting of an alias that is known here");
}

}  // namespace
}  // namespace estia::provision
