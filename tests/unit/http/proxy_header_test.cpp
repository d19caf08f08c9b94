// SPDX-License-Identifier: Apache-2.0
#include "server/http/proxy_header.h"

#include <gtest/gtest.h>

#include "tests/support/proxy_bytes.h"
#include "tests/support/refusal.h"

namespace estia::http {
namespace {

std::string client_of(const std::string& header) {
  const auto client = proxied_client(header);
  return client ? client->toString() : "none";
}

std::string refusal_of(const std::string& header) {
  return test::refusal([&] { static_cast<void>(proxied_client(header)); });
}

TEST(ProxyHeader, NamesTheClient) {
  EXPECT_EQ(client_of(test::proxy_for("203.0.113.9")), "203.0.113.9:4660");
  EXPECT_EQ(client_of(test::proxy_for6("2001:db8::9")), "[2001:db8::9]:4660");
  EXPECT_EQ(client_of(test::proxy_for("203.0.113.9", "\x04\x00\x01x")), "203.0.113.9:4660");
}

TEST(ProxyHeader, OfTheProxyItselfNamesNobody) {
  EXPECT_EQ(client_of(test::proxy_header('\x20', '\x00', "")), "none");
  EXPECT_EQ(client_of(test::proxy_header('\x20', '\x11', std::string(12, 'x'))), "none");
  EXPECT_EQ(client_of(test::proxy_header('\x21', '\x00', "")), "none");
}

TEST(ProxyHeader, AnythingElseIsRefused) {
  const std::string good = test::proxy_for("203.0.113.9");
  std::string other_signature = good;
  other_signature[3] = 'x';
  const std::string refused = "malformed proxy.refused";
  EXPECT_EQ(refusal_of(other_signature), refused);
  EXPECT_EQ(refusal_of("PROXY TCP4 203.0.113.9 192.0.2.1 4660 443\r\n"), refused);
  EXPECT_EQ(refusal_of(""), refused);
  EXPECT_EQ(refusal_of(good.substr(0, 15)), refused);
  EXPECT_EQ(refusal_of(good.substr(0, good.size() - 1)), refused);
  EXPECT_EQ(refusal_of(good + "x"), refused);
  const std::string addresses(36, 'x');
  EXPECT_EQ(refusal_of(test::proxy_header('\x11', '\x11', addresses)), refused) << "version 1";
  EXPECT_EQ(refusal_of(test::proxy_header('\x22', '\x11', addresses)), refused) << "command";
  EXPECT_EQ(refusal_of(test::proxy_header('\x21', '\x12', addresses)), refused) << "UDP";
  EXPECT_EQ(refusal_of(test::proxy_header('\x21', '\x31', std::string(216, 'x'))), refused)
      << "unix";
  EXPECT_EQ(refusal_of(test::proxy_header('\x21', '\x11', std::string(11, 'x'))), refused);
  EXPECT_EQ(refusal_of(test::proxy_header('\x21', '\x21', std::string(35, 'x'))), refused);
  EXPECT_EQ(refusal_of(test::proxy_for("203.0.113.9", std::string(4096, 'x'))), refused)
      << "too long";
}

}  // namespace
}  // namespace estia::http
