// SPDX-License-Identifier: Apache-2.0
#include "server/ca/naming.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/base/error.h"
#include "server/ca/end_entity.h"

namespace estia::ca {
namespace {

crypto::Name name(const std::string& text) {
  return crypto::Name::from_text(text);
}

std::string refusal(const Alias& alias, const crypto::Name& subject) {
  try {
    return "accepted " + generated_username(alias, subject);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::malformed);
    return error.id();
  }
}

TEST(Naming, SchemeDnTakesTheFirstPresentFieldOfTheList) {
  Alias alias;
  alias.name_parameters = {"UID", "SN", "CN"};
  EXPECT_EQ(generated_username(alias, name("CN=c,serialNumber=s,UID=u")), "u");
  EXPECT_EQ(generated_username(alias, name("CN=c,serialNumber=s")), "s");
  EXPECT_EQ(generated_username(alias, name("O=o,CN=c")), "c");
  EXPECT_EQ(refusal(alias, name("O=o")), "enroll.no_username");
  EXPECT_EQ(generated_username(alias, name("UID=\\20\\20,CN=c")), "c") << "blank is not present";
  EXPECT_EQ(refusal(alias, name("CN=\\20")), "enroll.no_username");
  EXPECT_EQ(refusal(alias, crypto::Name()), "enroll.no_username");
}

TEST(Naming, SnIsSerialNumberAndSurnameIsSurname) {
  Alias alias;
  const crypto::Name both = crypto::Name::from_attributes(
      {{.oid = {}, .short_name = "SN", .value = "Miller", .rdn = 0},
       {.oid = {}, .short_name = "serialNumber", .value = "4711", .rdn = 1}});
  alias.name_parameters = {"SN"};
  EXPECT_EQ(generated_username(alias, both), "4711");
  alias.name_parameters = {"SURNAME"};
  EXPECT_EQ(generated_username(alias, both), "Miller");
}

TEST(Naming, SchemeRandomIsTwelveCharactersThatDoNotRepeat) {
  Alias alias;
  alias.name_scheme = NameScheme::random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string username = generated_username(alias, name("CN=c"));
    EXPECT_EQ(username.size(), 12U);
    EXPECT_EQ(username_key(username), username) << "no two spellings of one";
    seen.insert(username);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Naming, SchemesFixedAndUsername) {
  Alias alias;
  alias.name_scheme = NameScheme::fixed;
  alias.name_parameters = {"line-7"};
  EXPECT_EQ(generated_username(alias, name("CN=c")), "line-7");
  alias.name_scheme = NameScheme::username;
  EXPECT_EQ(generated_username(alias, name("CN=c,O=o")), "CN=c,O=o");
  EXPECT_EQ(refusal(alias, crypto::Name()), "enroll.no_username");
}

TEST(Naming, PrefixAndPostfixMayHoldRandomCharacters) {
  Alias alias;
  alias.name_prefix = "p-";
  alias.name_postfix = "-${RANDOM}-${RANDOM}";
  const std::string one = generated_username(alias, name("CN=c"));
  EXPECT_TRUE(one.starts_with("p-c-")) << one;
  EXPECT_EQ(one.size(), std::string("p-c-").size() + 10 + 1 + 10) << one;
  EXPECT_EQ(one.find('$'), std::string::npos);
  EXPECT_NE(one, generated_username(alias, name("CN=c")));
}

TEST(Naming, ATooLongUsernameIsTheClientsMistake) {
  Alias alias;
  alias.name_scheme = NameScheme::username;
  std::string subject = "CN=c";
  for (int i = 0; i < 5; ++i) {
    subject += ",OU=" + std::string(60, 'a');
  }
  EXPECT_EQ(refusal(alias, name(subject)), "enroll.username_too_long");
}

TEST(Naming, ClientModeReadsOneFieldOrTheWholeSubject) {
  EXPECT_EQ(username_in(name("CN=c,UID=u"), "UID"), "u");
  EXPECT_EQ(username_in(name("CN=c,UID=u"), "DN"), "CN=c,UID=u");
  EXPECT_THROW(static_cast<void>(username_in(name("CN=c"), "UID")), Error);
  EXPECT_THROW(static_cast<void>(username_in(crypto::Name(), "DN")), Error);
}

TEST(Naming, AFieldThatHoldsASecretIsGoneWhereverItStood) {
  EXPECT_EQ(without_field(name("OU=secret,CN=c,OU=secret"), "OU").text(), "CN=c");
  EXPECT_EQ(without_field(name("CN=c"), "OU").text(), "CN=c");
  EXPECT_TRUE(without_field(name("OU=secret"), "OU").empty());
}

TEST(UsernameKey, SpellingsThatOneSubjectMayHaveAreOneEndEntity) {
  EXPECT_EQ(username_key("Device-A"), username_key("device-a"));
  EXPECT_EQ(username_key("  a   b "), "a b");
  EXPECT_NE(username_key("a b"), username_key("ab"));
  EXPECT_NE(username_key("\xC3\x84"), username_key("\xC3\xA4")) << "as names are compared";
}

}  // namespace
}  // namespace estia::ca
