// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <string>

namespace estia::http {

/// The address as clients name themselves: an IPv4 client of a dual-stack listener has an IPv4
/// address, and a link-local one has no scope.
[[nodiscard]] Poco::Net::IPAddress plain_address(const Poco::Net::SocketAddress& address);

/// For logs and PeerInfo: "192.0.2.7", "2001:db8::1", "unix".
[[nodiscard]] std::string address_text(const Poco::Net::SocketAddress& address);

/// Who may have only so many connections: an IPv4 address, an IPv6 network of 64 bits (one customer
/// has at least that), a user of this machine (asked of `descriptor`).
[[nodiscard]] std::string source_of(const Poco::Net::SocketAddress& address, int descriptor);

}  // namespace estia::http
