// SPDX-License-Identifier: Apache-2.0
// The PROXY protocol, version 2, as HAProxy's doc/proxy-protocol.txt 2.2 has it.
#include "server/http/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "crypto/base/error.h"

namespace estia::http {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kCommand = 12;
constexpr std::size_t kFamily = 13;
constexpr std::size_t kLength = 14;
constexpr unsigned char kLocal = 0x20;  // version 2 in the upper half
constexpr unsigned char kProxy = 0x21;
constexpr unsigned char kUnspecified = 0x00;
constexpr unsigned char kTcp4 = 0x11;
constexpr unsigned char kTcp6 = 0x21;

[[noreturn]] void refuse(const char* reason) {
  throw Error(ErrorCode::malformed, "proxy.refused", reason);
}

unsigned char byte_at(std::string_view header, std::size_t at) {
  return static_cast<unsigned char>(header[at]);
}

/// Network order on the wire and in memory.
template <class Number>
Number raw_at(std::string_view header, std::size_t at) {
  Number value{};
  std::memcpy(&value, header.data() + at, sizeof value);
  return value;
}

/// `Address` is in_addr or in6_addr: source and destination follow each other, then the ports.
template <class Address>
Poco::Net::SocketAddress source_in(std::string_view header) {
  constexpr std::size_t kPort = kProxyPrefixSize + 2 * sizeof(Address);
  if (header.size() < kPort + 2 * sizeof(in_port_t)) {
    refuse("its addresses are cut short");
  }
  const auto host = raw_at<Address>(header, kProxyPrefixSize);
  const auto port = raw_at<in_port_t>(header, kPort);
  return {Poco::Net::IPAddress(&host, sizeof host), ntohs(port)};
}

}  // namespace

std::size_t proxy_rest_size(std::string_view prefix) {
  if (prefix.size() != kProxyPrefixSize || !prefix.starts_with(kSignature)) {
    refuse("it begins with no header of the PROXY protocol, version 2");
  }
  const unsigned char command = byte_at(prefix, kCommand);
  if (command != kLocal && command != kProxy) {
    refuse("its version or command is unknown");
  }
  const std::size_t rest = ntohs(raw_at<std::uint16_t>(prefix, kLength));
  if (kProxyPrefixSize + rest > kLongestProxyHeader) {
    refuse("its header is too long");
  }
  return rest;
}

std::optional<Poco::Net::SocketAddress> proxied_client(std::string_view header) {
  const std::size_t rest = proxy_rest_size(header.substr(0, kProxyPrefixSize));
  if (header.size() != kProxyPrefixSize + rest) {
    refuse("its header is cut short");
  }
  if (byte_at(header, kCommand) == kLocal) {
    return std::nullopt;
  }
  switch (byte_at(header, kFamily)) {
    case kUnspecified:
      return std::nullopt;
    case kTcp4:
      return source_in<in_addr>(header);
    case kTcp6:
      return source_in<in6_addr>(header);
    default:
      refuse("it carries something else than TCP");
  }
}

IoStatus ProxyHeaderReader::advance(int descriptor) {
  for (;;) {
    const std::string_view prefix = std::string_view(header_).substr(0, kProxyPrefixSize);
    const bool told = prefix.size() == kProxyPrefixSize;
    const std::size_t wanted = kProxyPrefixSize + (told ? proxy_rest_size(prefix) : 0);
    if (header_.size() == wanted) {
      return IoStatus::done;
    }
    std::array<char, kLongestProxyHeader> part;
    const ssize_t size = ::recv(descriptor, part.data(), wanted - header_.size(), MSG_DONTWAIT);
    if (size <= 0) {
      const bool later = size < 0 && (errno == EAGAIN || errno == EINTR);
      return later ? IoStatus::wait : IoStatus::closed;
    }
    header_.append(part.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace estia::http
