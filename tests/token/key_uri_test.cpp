// SPDX-License-Identifier: Apache-2.0
// RFC 7512 (P11-2.3-a, P11-2.3-b, P11-2.3-c, P11-2.4-a, P11-2.4-b).
#include "hsm/key_uri.h"

#include <gtest/gtest.h>

#include "tests/support/refusal.h"

namespace estia::hsm {
namespace {

std::string refused(const std::string& text) {
  return test::refusal([&] { static_cast<void>(KeyUri::parse(text)); });
}

TEST(KeyUri, ReadsEachAttribute) {
  const KeyUri uri = KeyUri::parse(
      "pkcs11:token=The%20CA;manufacturer=m;model=o;serial=s1;object=a%2Fb;id=%01%fF;type=private");
  EXPECT_EQ(uri.token(), "The CA");
  EXPECT_EQ(uri.manufacturer(), "m");
  EXPECT_EQ(uri.model(), "o");
  EXPECT_EQ(uri.serial(), "s1");
  EXPECT_EQ(uri.object(), "a/b");
  EXPECT_EQ(uri.id(), (Bytes{0x01, 0xFF}));
}

TEST(KeyUri, WritesOneSpelling) {
  const KeyUri uri = KeyUri::parse("pkcs11:id=a%0a;object=x;token=t%3B%3F%25");
  EXPECT_EQ(uri.text(), "pkcs11:token=t%3B%3F%25;object=x;id=%61%0A;type=private");
  EXPECT_EQ(KeyUri::parse(uri.text()), uri);
}

TEST(KeyUri, SurvivesEveryByteOfAnId) {
  Bytes id;
  for (unsigned byte = 0; byte < 255; ++byte) {
    id.push_back(static_cast<std::uint8_t>(byte));
  }
  const KeyUri uri = KeyUri::for_object("token", "\xC3\xBC ;?#&=%", id);
  EXPECT_EQ(KeyUri::parse(uri.text()), uri);
}

TEST(KeyUri, PaddingOfATokensFieldsDoesNotCount) {
  EXPECT_EQ(KeyUri::parse("pkcs11:token=t%20%20;object=x").token(), "t");
  EXPECT_EQ(KeyUri::parse("pkcs11:object=x%20").object(), "x ") << "an object's label has none";
}

TEST(KeyUri, TakesReservedCharactersTheRfcAllows) {
  EXPECT_EQ(KeyUri::parse("pkcs11:object=:[]@!$'()*+,=&").object(), ":[]@!$'()*+,=&");
}

TEST(KeyUri, RefusesWhatItMust) {
  const std::string malformed = "config key_uri.malformed";
  const std::string unsupported = "config key_uri.unsupported";
  const std::string pin = "config key_uri.pin";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", malformed},
      {"pkcs11", malformed},
      {"pkcs11:", malformed},
      {"PKCS11:object=x", malformed},
      {" pkcs11:object=x", malformed},
      {"file:object=x", malformed},
      {"pkcs11:object", malformed},
      {"pkcs11:object=", malformed},
      {"pkcs11:=x", unsupported},
      {"pkcs11:object=x;", malformed},
      {"pkcs11:;object=x", malformed},
      {"pkcs11:object=x;;token=t", malformed},
      {"pkcs11:object=x;object=x", malformed},
      {"pkcs11:object=x;object=y", malformed},
      {"pkcs11:id=%01;id=%01", malformed},
      {"pkcs11:id=", malformed},
      {"pkcs11:object=%", malformed},
      {"pkcs11:object=%4", malformed},
      {"pkcs11:object=%4;token=t", malformed},
      {"pkcs11:object=%zz", malformed},
      {"pkcs11:object=% 1", malformed},
      {"pkcs11:object=a b", malformed},
      {"pkcs11:object=a/b", malformed},
      {"pkcs11:object=a#b", malformed},
      {"pkcs11:object=a\"b", malformed},
      {"pkcs11:object=a|b", malformed},
      {"pkcs11:object=\xC3\xBC", malformed},
      {"pkcs11:object=a%00b", malformed},
      {"pkcs11:object=a%0Ab", malformed},
      {"pkcs11:object=a%7F", malformed},
      {"pkcs11:object=%FF", malformed},
      {"pkcs11:object=%C3", malformed},
      {"pkcs11:object=%C0%AF", malformed},     // overlong '/'
      {"pkcs11:object=%E0%80%AF", malformed},  // overlong '/'
      {"pkcs11:object=%ED%A0%80", malformed},  // surrogate
      {"pkcs11:object=%F4%90%80%80", malformed},
      {"pkcs11:token=%20;object=x", malformed},
      {"pkcs11:token=" + std::string(33, 'a') + ";object=x", malformed},
      {"pkcs11:serial=" + std::string(17, 'a') + ";object=x", malformed},
      {"pkcs11:model=" + std::string(17, 'a') + ";object=x", malformed},
      {"pkcs11:manufacturer=" + std::string(33, 'a') + ";object=x", malformed},
      {"pkcs11:object=" + std::string(256, 'a'), malformed},
      {"pkcs11:id=" + std::string(256, 'a'), malformed},
      {"pkcs11:object=" + std::string(5000, 'a'), malformed},
      {std::string("pkcs11:object=a\0b", 17), malformed},
      {"pkcs11:type=cert;object=x", unsupported},
      {"pkcs11:type=public;object=x", unsupported},
      {"pkcs11:type=;object=x", unsupported},
      {"pkcs11:slot-id=1;object=x", unsupported},
      {"pkcs11:library-version=2;object=x", unsupported},
      {"pkcs11:x-vendor=1;object=x", unsupported},
      {"pkcs11:Object=x", unsupported},
      {"pkcs11:object=x?", unsupported},
      {"pkcs11:object=x?module-path=/lib/x.so", unsupported},
      {"pkcs11:object=x?module-name=x", unsupported},
      {"pkcs11:object=x?pin-value=1234", pin},
      {"pkcs11:object=x?pin-source=file:/x", pin},
      {"pkcs11:object=x?pin-source=|/bin/sh", pin},
      {"pkcs11:object=x?module-name=y&pin-value=1", pin},
      {"pkcs11:object=x;pin-value=1234", pin},
      {"pkcs11:type=private", "config key_uri.no_key"},
      {"pkcs11:token=t", "config key_uri.no_key"},
  };
  for (const auto& [text, id] : table) {
    EXPECT_EQ(refused(text), id) << text;
  }
}

TEST(KeyUri, NoRefusalRepeatsThePin) {
  try {
    static_cast<void>(KeyUri::parse("pkcs11:object=x?pin-value=hunter2"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ((error.id() + error.what() + error.detail()).find("hunter2"), std::string::npos);
  }
}

TEST(KeyUri, NamesOfObjectsAreCheckedToo) {
  const auto make = [](const std::string& token, const std::string& object, const Bytes& id) {
    return test::refusal([&] { static_cast<void>(KeyUri::for_object(token, object, id)); });
  };
  EXPECT_EQ(make("t", "", {}), "config key_uri.no_key");
  EXPECT_EQ(make("", "x", {}), "config key_uri.malformed");
  EXPECT_EQ(make(std::string(33, 't'), "x", {}), "config key_uri.malformed");
  EXPECT_EQ(make("t", "a\nb", {}), "config key_uri.malformed");
}

}  // namespace
}  // namespace estia::hsm
