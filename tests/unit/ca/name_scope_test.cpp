// SPDX-License-Identifier: Apache-2.0
#include "server/ca/name_scope.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"

namespace estia::ca {
namespace {

using crypto::GeneralNames;
using crypto::Name;

bool inside(std::string_view scope, std::string_view subject,
            const std::vector<std::string>& san = {}) {
  const GeneralNames names = san.empty() ? GeneralNames() : GeneralNames::from_texts(san);
  return !NameScope::parse(scope).outside(Name::from_text(subject), names).has_value();
}

TEST(NameScope, DefaultAllowsNothing) {
  EXPECT_TRUE(NameScope().empty());
  EXPECT_TRUE(NameScope().outside(Name::from_text("CN=a"), {}).has_value());
}

TEST(NameScope, AnyAllowsEverything) {
  EXPECT_TRUE(inside("any", "CN=whatever,O=Anybody", {"dns:x.example", "ip:10.0.0.1"}));
}

TEST(NameScope, EveryFieldNeedsATermOfItsOwn) {
  EXPECT_TRUE(inside("CN=device-*", "CN=device-7"));
  EXPECT_FALSE(inside("CN=device-*", "CN=device-7,O=Acme"));
  EXPECT_TRUE(inside("CN=device-*,O=Acme", "CN=device-7,O=Acme"));
  EXPECT_FALSE(inside("CN=device-*", "CN=device-7", {"dns:device-7.acme.example"}));
  EXPECT_FALSE(inside("CN=*", "CN=x", {"uri:urn:x:y"}));
}

/// Found by a hostile client: a star in the host reached over the end of the host.
TEST(NameScope, AStarInTheHostOfAUriStaysInTheHost) {
  const auto allowed = [](std::string_view pattern, const std::string& uri) {
    return inside("CN=x,uri=" + std::string(pattern), "CN=x", {"uri:" + uri});
  };
  constexpr std::string_view kHosts = "https://*.acme.example/*";
  EXPECT_TRUE(allowed(kHosts, "https://a.acme.example/y"));
  EXPECT_TRUE(allowed(kHosts, "https://a.b.acme.example/y?z#w"));
  for (const char* uri :
       {"https://evil.com/.acme.example/y", "https://evil.com?.acme.example/",
        "https://evil.com#.acme.example/", "https://a:b@evil.com#.acme.example/",
        "https://x.acme.example@evil.com/", "https://evil.com/x.acme.example/y",
        "https://a@b.acme.example/", "http://a.acme.example/y", "https://acme.example/y"}) {
    EXPECT_FALSE(allowed(kHosts, uri)) << uri;
  }
  EXPECT_TRUE(allowed("urn:acme:*", "urn:acme:7:x/y"));
  EXPECT_TRUE(allowed("*", "https://anything/at?all"));
  EXPECT_FALSE(allowed("https://a.acme.example", "https://a.acme.example/more"));
}

TEST(NameScope, ValuesAreMatchedWholeAndWithoutCase) {
  EXPECT_FALSE(inside("CN=device", "CN=device-7"));
  EXPECT_FALSE(inside("CN=device-7", "CN=adevice-7"));
  EXPECT_TRUE(inside("CN=Device-*", "CN=dEVICE-7"));
  EXPECT_FALSE(inside("O=Acme", "O=Acme Evil"));
}

TEST(NameScope, AStarInDnsStopsAtDots) {
  EXPECT_TRUE(inside("CN=*,dns=*.acme.example", "CN=x", {"dns:a.acme.example"}));
  EXPECT_FALSE(inside("CN=*,dns=*.acme.example", "CN=x", {"dns:a.b.acme.example"}));
  EXPECT_FALSE(inside("CN=*,dns=*.acme.example", "CN=x", {"dns:acme.example"}));
  EXPECT_FALSE(inside("CN=*,dns=*.acme.example", "CN=x", {"dns:a.acme.example.evil.example"}));
}

TEST(NameScope, OneNameOutsideIsEnoughToRefuse) {
  EXPECT_FALSE(
      inside("CN=*,dns=*.acme.example", "CN=x", {"dns:a.acme.example", "dns:b.evil.example"}));
}

TEST(NameScope, NetworksAreComparedByBits) {
  EXPECT_TRUE(inside("CN=*,ip=10.0.0.0/8", "CN=x", {"ip:10.255.1.2"}));
  EXPECT_FALSE(inside("CN=*,ip=10.0.0.0/8", "CN=x", {"ip:11.0.0.1"}));
  EXPECT_TRUE(inside("CN=*,ip=10.1.2.128/25", "CN=x", {"ip:10.1.2.129"}));
  EXPECT_FALSE(inside("CN=*,ip=10.1.2.128/25", "CN=x", {"ip:10.1.2.127"}));
  EXPECT_TRUE(inside("CN=*,ip=2001:db8::/32", "CN=x", {"ip:2001:db8::7"}));
  EXPECT_FALSE(inside("CN=*,ip=0.0.0.0/0", "CN=x", {"ip:2001:db8::7"}));
}

TEST(NameScope, TellsWhatIsOutside) {
  EXPECT_EQ(NameScope::parse("CN=a*").outside(Name::from_text("CN=b"), {}), "CN=b");
}

TEST(NameScope, AHostileNameCannotMakeMatchingExponential) {
  const std::string pattern = "CN=*a*a*a*a*a*a*a*a*a*a*b";
  EXPECT_FALSE(inside(pattern, "CN=" + std::string(64, 'a')));
}

TEST(NameScope, RefusesWhatItCannotMean) {
  for (const char* text :
       {"", " ", ",", "device-*", "=x", "CN=", "CN=a,,O=b", "nosuchfield=x", "ip=10.0.0.0/33",
        "ip=10.0.0.0/", "ip=10.0.0.0/-1", "ip=ten", "ip=10.0.0.0/8x", "Any thing"}) {
    try {
      static_cast<void>(NameScope::parse(text));
      ADD_FAILURE() << "accepted: '" << text << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::config) << text;
    }
  }
}

}  // namespace
}  // namespace estia::ca
