// SPDX-License-Identifier: Apache-2.0
#include "server/http/networks.h"

#include <gtest/gtest.h>

#include "server/http/source.h"
#include "tests/support/refusal.h"

namespace estia::http {
namespace {

using Poco::Net::IPAddress;
using Poco::Net::SocketAddress;

TEST(Networks, ContainAddressesAndNetworks) {
  const Networks networks({"192.0.2.7", "198.51.100.0/25", "2001:db8::1", "2001:db8:1::/48"});
  for (const char* in : {"192.0.2.7", "198.51.100.0", "198.51.100.127", "2001:db8::1",
                         "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_TRUE(networks.contain(IPAddress(in))) << in;
  }
  for (const char* out : {"192.0.2.6", "198.51.100.128", "198.51.101.0", "2001:db8::2",
                          "2001:db8:2::", "::ffff:192.0.2.7"}) {
    EXPECT_FALSE(networks.contain(IPAddress(out))) << out;
  }
  EXPECT_TRUE(Networks({"0.0.0.0/0"}).contain(IPAddress("203.0.113.9")));
  EXPECT_FALSE(Networks({"0.0.0.0/0"}).contain(IPAddress("::1")));
  EXPECT_FALSE(Networks().contain(IPAddress("192.0.2.7")));
}

TEST(Networks, RefuseWhatIsNone) {
  for (const char* text :
       {"", "/8", "localhost", "192.0.2", "192.0.2.7/33", "192.0.2.7/", "::/129", "192.0.2.7/24",
        "192.0.2.0/-1", "192.0.2.0/24x", "192.0.2.0/ 24", "192.0.2.0/24/24", "2001:db8::1/64"}) {
    EXPECT_EQ(test::refusal([&] { static_cast<void>(Networks({text})); }), "config http.network")
        << text;
  }
}

TEST(Source, IsTheAddressThatTheClientItselfHas) {
  EXPECT_EQ(address_text(SocketAddress("192.0.2.7", 1)), "192.0.2.7");
  EXPECT_EQ(address_text(SocketAddress("::ffff:192.0.2.7", 1)), "192.0.2.7");
  EXPECT_EQ(address_text(SocketAddress("2001:db8::1", 1)), "2001:db8::1");
}

TEST(Source, CountsAnIpv6NetworkAsOne) {
  const auto of = [](const char* address) { return source_of(SocketAddress(address, 1), -1); };
  EXPECT_EQ(of("192.0.2.7"), of("::ffff:192.0.2.7"));
  EXPECT_NE(of("192.0.2.7"), of("192.0.2.8"));
  EXPECT_EQ(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
  EXPECT_NE(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
}

}  // namespace
}  // namespace estia::http
