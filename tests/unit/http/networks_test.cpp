// SPDX-License-Identifier: Apache-2.0
#include "server/http/networks.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "server/http/source.h"
#include "tests/support/refusal.h"

namespace estia::http {
namespace {

using Poco::Net::IPAddress;
using Poco::Net::SocketAddress;

/// As accept() gives it: with the interface it came in by.
SocketAddress link_local() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_scope_id = 1;
  ::inet_pton(AF_INET6, "fe80::1", &address.sin6_addr);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

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
  EXPECT_TRUE(Networks({"fe80::/10"}).contain(plain_address(link_local())));
  EXPECT_FALSE(networks.contain(plain_address(link_local())));
  EXPECT_FALSE(Networks().contain(IPAddress("192.0.2.7")));
}

TEST(Networks, RefuseWhatIsNone) {
  for (const char* text :
       {"", "/8", "localhost", "192.0.2", "192.0.2.7/33", "192.0.2.7/", "::/129", "192.0.2.7/24",
        "192.0.2.0/-1", "192.0.2.0/24x", "192.0.2.0/ 24", "192.0.2.0/24/24", "2001:db8::1/64",
        "::ffff:10.0.0.4", "fe80::1%eth0"}) {
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
