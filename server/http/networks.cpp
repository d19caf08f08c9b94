// SPDX-License-Identifier: Apache-2.0
#include "server/http/networks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/base/error.h"

namespace estia::http {
namespace {

using Poco::Net::IPAddress;

constexpr unsigned kBitsPerByte = 8;

/// As it is written in full: "10.1" is no address.
std::optional<IPAddress> address_of(const std::string& text) {
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return IPAddress(&v4, sizeof v4);
  }
  return ::inet_pton(AF_INET6, text.c_str(), &v6) == 1 ? std::optional(IPAddress(&v6, sizeof v6))
                                                       : std::nullopt;
}

std::optional<unsigned> prefix_of(std::string_view text, unsigned most) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && bits <= most ? std::optional(bits) : std::nullopt;
}

}  // namespace

Networks::Network Networks::parse(const std::string& text) {
  const Error refusal(ErrorCode::config, "http.network",
                      "\"" + text + "\" is neither an address nor a network like 192.0.2.0/24");
  const std::size_t slash = text.find('/');
  const std::optional<IPAddress> address = address_of(text.substr(0, slash));
  // No client has an IPv4 address in IPv6 (source.h).
  if (!address || (address->family() == IPAddress::IPv6 && address->isIPv4Mapped())) {
    throw refusal;
  }
  const unsigned most = static_cast<unsigned>(address->length()) * kBitsPerByte;
  const auto prefix = slash == std::string::npos
                          ? std::optional(most)
                          : prefix_of(std::string_view(text).substr(slash + 1), most);
  if (!prefix) {
    throw refusal;
  }
  const IPAddress mask(*prefix, address->family());
  if ((*address & mask) != *address) {
    throw refusal;  // which of the two is meant?
  }
  return {*address, mask};
}

Networks::Networks(const std::vector<std::string>& texts) {
  std::ranges::transform(texts, std::back_inserter(networks_), parse);
}

bool Networks::contain(const IPAddress& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    return network.address.family() == address.family() &&
           (address & network.mask) == network.address;
  });
}

}  // namespace estia::http
