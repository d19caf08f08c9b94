// SPDX-License-Identifier: Apache-2.0
#include "server/http/source.h"

#include <Poco/Net/IPAddress.h>
#include <netinet/in.h>

#include "server/http/plain_stream.h"

namespace estia::http {
namespace {

constexpr unsigned kMappedPrefix = 12;
constexpr std::size_t kNetworkSize = 8;

std::string bytes_of(const Poco::Net::IPAddress& address) {
  return {static_cast<const char*>(address.addr()), address.length()};
}

}  // namespace

Poco::Net::IPAddress plain_address(const Poco::Net::SocketAddress& address) {
  const Poco::Net::IPAddress host = address.host();
  if (host.family() != Poco::Net::IPAddress::IPv6) {
    return host;
  }
  if (!host.isIPv4Mapped()) {
    return {host.addr(), host.length()};  // without the scope of a link-local one
  }
  const char* const v4 = static_cast<const char*>(host.addr()) + kMappedPrefix;
  return Poco::Net::IPAddress(v4, sizeof(in_addr));
}

std::string address_text(const Poco::Net::SocketAddress& address) {
  return address.family() == Poco::Net::SocketAddress::UNIX_LOCAL
             ? "unix"
             : plain_address(address).toString();
}

std::string source_of(const Poco::Net::SocketAddress& address, int descriptor) {
  if (address.family() == Poco::Net::SocketAddress::UNIX_LOCAL) {
    const auto peer = local_peer(descriptor);
    return "uid " + (peer ? std::to_string(peer->uid) : "-");
  }
  const Poco::Net::IPAddress host = plain_address(address);
  const std::string bytes = bytes_of(host);
  return host.family() == Poco::Net::IPAddress::IPv6 ? bytes.substr(0, kNetworkSize) : bytes;
}

}  // namespace estia::http
