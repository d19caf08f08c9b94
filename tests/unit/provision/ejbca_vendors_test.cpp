// SPDX-License-Identifier: Apache-2.0
// EJBCA's vendor mode: what becomes of it in client mode, in RA mode, and of its lists alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "server/provision/configuration_document.h"
#include "server/provision/ejbca_import.h"
#include "tests/support/certificates.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

constexpr const char* kVendors = "a.operationmode=client\na.vendorcertificatemode=true\n";

EjbcaImport imported(const std::string& text) {
  return import_ejbca(
      {.text = "a.defaultca=1\n" + text,
       .source = "d",
       .maps = {"ca:1=issuing", "eeprofile:1=device", "certprofile:1=device", "vendorca:-5=acme",
                "vendorca:77=zenith", "vendorca:78=zenith", "vendorca:CN=Acme:Root,O=x=acme"},
       .ra_scope = std::nullopt});
}

std::string anchor(const std::string& name) {
  static const std::string pem = test::make_software_ca("vendor").ca.certificate().to_pem();
  return "\n[[trust_anchor]]\nname = \"" + name + "\"\nrevocation = \"none\"\ncertificate = '''\n" +
         pem + "'''\n";
}

/// Alias "a" as a document with the anchors reads it back.
ca::Alias alias_of(const EjbcaImport& import) {
  return parse(test::good_document() + anchor("acme") + anchor("zenith") + import.toml, "x.toml")
      .contents.aliases.at("a");
}

std::size_t lines_with(const std::vector<std::string>& lines, const std::string& part) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

using Anchors = std::vector<std::string>;

TEST(EjbcaVendors, ReplaceTheAuthenticationModule) {
  const EjbcaImport import =
      imported(std::string(kVendors) +
               "a.vendorcaids=-5;77\na.authenticationmodule=DnPartPwd\n"
               "a.extractdnpartpwdcomponent=OU\na.extractusernamecomponent=SN\n");
  const ca::Alias alias = alias_of(import);
  EXPECT_EQ(alias.authenticators, std::vector{ca::Authenticator::vendor_certificate});
  EXPECT_EQ(alias.vendor_anchors, (Anchors{"acme", "zenith"}));
  EXPECT_EQ(alias.username_field, "SN");
  EXPECT_EQ(alias.code_source, ca::CodeSource::challenge_password);
  EXPECT_EQ(alias.code_field, "");
  EXPECT_EQ(lines_with(import.took, "a.vendorcertificatemode = 'true': authenticators = "), 1U);
  EXPECT_EQ(lines_with(import.took, "a.vendorcaids = '-5;77': vendor_anchors"), 1U);
  for (const char* key : {"authenticationmodule", "extractdnpartpwdcomponent"}) {
    EXPECT_EQ(lines_with(import.not_taken, std::string("a.") + key + ": decides nothing"), 1U);
    EXPECT_EQ(lines_with(import.took, key), 0U);
  }
  EXPECT_EQ(lines_with(import.differs, "opens the door once"), 1U);
  EXPECT_EQ(lines_with(import.not_taken, "--map vendorca:-5=acme"), 0U);
  EXPECT_EQ(lines_with(import.not_taken, "--map vendorca:78=zenith: no setting"), 1U);
}

TEST(EjbcaVendors, TheListIsReadAsTheDumpWritesIt) {
  const auto anchors = [](const std::string& list) {
    return alias_of(imported(kVendors + list + "\n")).vendor_anchors;
  };
  EXPECT_EQ(anchors("a.vendorcaids=77; -5 ;"), (Anchors{"zenith", "acme"}));
  EXPECT_EQ(anchors("a.vendorcaids=77;78;77"), Anchors{"zenith"}) << "each anchor once";
  EXPECT_EQ(anchors("a.vendorca=-5"), Anchors{"acme"}) << "of an older dump";
  EXPECT_EQ(anchors("a.vendorca=CN=Acme:Root,O=x"), Anchors{"acme"}) << "which may have names";
  EXPECT_EQ(anchors("a.vendorca=-5\na.vendorcaids=77"), Anchors{"zenith"});
  EXPECT_EQ(anchors("a.vendorca=-5\na.vendorcaids="), Anchors{}) << "the newer key says nobody";
  const EjbcaImport both = imported(std::string(kVendors) + "a.vendorca=-5\na.vendorcaids=77\n");
  EXPECT_EQ(lines_with(both.not_taken, "a.vendorca: decides nothing"), 1U);
}

TEST(EjbcaVendors, WithoutAVendorNobodyGetsIn) {
  for (const std::string list : {"", "a.vendorcaids=\n", "a.vendorcaids=;\n"}) {
    const EjbcaImport import = imported(kVendors + list);
    const ca::Alias alias = alias_of(import);
    EXPECT_EQ(alias.authenticators, std::vector{ca::Authenticator::vendor_certificate});
    EXPECT_EQ(alias.vendor_anchors, Anchors{});
    EXPECT_EQ(lines_with(import.differs, "nobody gets in until vendor_anchors"), 1U);
    EXPECT_EQ(lines_with(import.took, "a.vendorcaids"), 1U);
  }
}

TEST(EjbcaVendors, InRaModeAnOperatorHasToSaySo) {
  const EjbcaImport import = imported("a.vendorcertificatemode=true\na.vendorcaids=-5\n");
  const ca::Alias alias = alias_of(import);
  EXPECT_EQ(alias.authenticators, std::vector{ca::Authenticator::client_certificate});
  EXPECT_EQ(alias.vendor_anchors, Anchors{});
  EXPECT_FALSE(alias.vendor_in_ra_mode);
  EXPECT_EQ(lines_with(import.not_taken, "a.vendorcertificatemode = 'true': in RA mode"), 1U);
  EXPECT_EQ(lines_with(import.not_taken, "a.vendorcaids = '-5': vendor_anchors need vendor mode"),
            1U);
}

TEST(EjbcaVendors, ListsAloneTrustNobody) {
  for (const std::string mode : {"ra", "client"}) {
    const std::string off = "a.operationmode=" + mode + "\na.vendorcertificatemode=false\n";
    for (const std::string key : {"vendorcaids", "vendorca"}) {
      const EjbcaImport import = imported(off + "a." + key + "=1;2\n");
      EXPECT_EQ(alias_of(import).vendor_anchors, Anchors{});
      EXPECT_EQ(lines_with(import.not_taken, "a." + key + " = '1;2'"), 1U) << "and needs no --map";
      EXPECT_EQ(lines_with(imported(off + "a." + key + "=\n").not_taken, "a." + key), 0U);
    }
    EXPECT_EQ(lines_with(imported(off).took, "a.vendorcertificatemode = 'false': nothing"), 1U);
  }
}

/// Every known key at once: each in exactly one list.
TEST(EjbcaVendors, EachSettingIsReportedOnce) {
  const std::string text =
      std::string(kVendors) +
      "a.eeprofile=7\na.certprofile=9\na.requirecert=true\na.requsername=u\na.reqpassword=p\n"
      "a.allowupdatewithsamekey=true\na.ra.namegenerationscheme=DN\na.vendorcaids=-5\n"
      "a.vendorca=77\na.extractusernamecomponent=DN\na.authenticationmodule=ChallengePwd\n"
      "a.extractdnpartpwdcomponent=DN\na.allowchangesubjectname=true\na.supportproxyca=false\n"
      "a.severkeygenenabled=false\n";
  const EjbcaImport import = imported(text);
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const std::string key = text.substr(at, text.find('=', at) - at);
    std::size_t found = 0;
    for (const auto* list : {&import.took, &import.not_taken}) {
      found += lines_with(*list, key + " ") + lines_with(*list, key + ":");
    }
    EXPECT_EQ(found, 1U) << key;
  }
}

}  // namespace
}  // namespace estia::provision
