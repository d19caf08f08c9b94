// SPDX-License-Identifier: Apache-2.0
// What an alias says about renewals and new names.
#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "server/provision/configuration_document.h"
#include "tests/unit/provision/good_document.h"

namespace estia::provision {
namespace {

constexpr const char* kRa =
    "end_entity_profile = \"device\"\ncertificate_profile = \"device\"\nra_scope = \"CN=*\"\n";
constexpr const char* kClient = "mode = \"client\"\n";

ParsedConfiguration configuration(const std::string& lines) {
  return parse(test::good_document() + "\n[[alias]]\nname = \"more\"\nca = \"issuing\"\n" + lines,
               "x.toml");
}

std::string refusal(const std::string& lines) {
  try {
    static_cast<void>(configuration(lines));
  } catch (const Error& error) {
    return error.id() + " " + error.what();
  }
  return "accepted";
}

TEST(AliasRenewal, EverythingIsOffByDefault_CSN_7_1_d) {
  for (const char* mode : {kRa, kClient}) {
    const ParsedConfiguration parsed = configuration(mode);
    const ca::Alias& alias = parsed.contents.aliases.at("more");
    EXPECT_FALSE(alias.allow_change_subject_name);
    EXPECT_FALSE(alias.allow_change_subject_name_at_renewal);
    EXPECT_FALSE(alias.allow_renewal_on_behalf);
    EXPECT_FALSE(alias.renewal_window);
    EXPECT_EQ(alias.expired_grace, std::chrono::seconds(0));
    EXPECT_EQ(print(parsed).find("renewal"), std::string::npos);
  }
}

TEST(AliasRenewal, PrintingAndParsingLosesNothing) {
  const ParsedConfiguration once = configuration(
      std::string(kRa) +
      "allow_change_subject_name = true\nallow_change_subject_name_at_renewal = true\n"
      "renewal_window = \"30d\"\nexpired_grace = \"12h\"\nallow_renewal_on_behalf = true\n");
  const ca::Alias& alias = once.contents.aliases.at("more");
  EXPECT_TRUE(alias.allow_change_subject_name && alias.allow_change_subject_name_at_renewal &&
              alias.allow_renewal_on_behalf);
  EXPECT_EQ(alias.renewal_window, std::chrono::hours(24 * 30));
  EXPECT_EQ(alias.expired_grace, std::chrono::hours(12));
  const std::string printed = print(once);
  const ParsedConfiguration twice = parse(printed, "y.toml");
  EXPECT_EQ(print(twice), printed);
  EXPECT_EQ(twice.contents.aliases.at("more").renewal_window, alias.renewal_window);
}

TEST(AliasRenewal, WhatCannotBeIsRefusedWithTheKey) {
  const std::string ra = kRa;
  const std::string client = kClient;
  const std::string no_scope =
      "end_entity_profile = \"device\"\ncertificate_profile = \"device\"\n";
  const std::string on_behalf = "allow_renewal_on_behalf = true\n";
  const std::string new_names = "allow_change_subject_name_at_renewal = true\n";
  const struct {
    std::string lines;
    const char* says;
  } cases[] = {
      {ra + "renewal_window = \"0s\"\n", "config.value x.toml"},
      {ra + "renewal_window = \"0s\"\n", "alias[more].renewal_window: must be 1s to 3650d"},
      {ra + "renewal_window = \"3651d\"\n", "alias[more].renewal_window: must be 1s to 3650d"},
      {ra + "expired_grace = \"31d\"\n", "alias[more].expired_grace: must be at most 30d"},
      {ra + "expired_grace = 5\n", "config.type"},
      {client + on_behalf, "allow_renewal_on_behalf: is for mode = \"ra\" only"},
      {no_scope + on_behalf, "config.scope_missing"},
      {no_scope + new_names, "config.scope_missing"},
      {no_scope + new_names, "is needed with allow_change_subject_name_at_renewal"},
      // Found by a maintainer: renewing for others would have needed less than enrolling them.
      {ra + on_behalf + "authenticators = [\"client-certificate+basic\"]\n",
       "needs \"client-certificate\""},
      {ra + on_behalf + "authenticators = [\"basic\"]\n", "needs \"client-certificate\""},
      {ra + on_behalf + "name_scheme = \"random\"\n", "alias[more].allow_renewal_on_behalf"},
      {ra + on_behalf + "name_prefix = \"${RANDOM}\"\n", "alias[more].allow_renewal_on_behalf"},
      {ra + on_behalf + "name_postfix = \"${RANDOM}\"\n", "alias[more].allow_renewal_on_behalf"},
  };
  for (const auto& [lines, says] : cases) {
    EXPECT_NE(refusal(lines).find(says), std::string::npos) << lines << "gave: " << refusal(lines);
  }
  for (const std::string& lines :
       {ra + "renewal_window = \"3650d\"\nexpired_grace = \"30d\"\n", client + new_names,
        ra + on_behalf + "name_scheme = \"fixed\"\nname_parameters = [\"line\"]\n"}) {
    EXPECT_EQ(refusal(lines), "accepted") << lines;
  }
}

}  // namespace
}  // namespace estia::provision
