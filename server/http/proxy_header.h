// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/stream.h"

namespace estia::http {

/// The fixed part of a PROXY protocol header of version 2; the rest follows it.
inline constexpr std::size_t kProxyPrefixSize = 16;
/// Of a whole header: an address takes 36 bytes, extensions (TLV) rarely more than some hundred.
inline constexpr std::size_t kLongestProxyHeader = 4096;

/// How many bytes follow these kProxyPrefixSize bytes. Throws Error{malformed, "proxy.refused"} for
/// what is no header of version 2, or too long a one. Pure.
[[nodiscard]] std::size_t proxy_rest_size(std::string_view prefix);

/// The client that a whole header names; nullopt when the proxy speaks for itself (LOCAL, as in
/// health checks) or knows no address (AF_UNSPEC). Extensions are not read. Throws Error{malformed,
/// "proxy.refused"} for anything but TCP over IPv4 or IPv6. Pure.
[[nodiscard]] std::optional<Poco::Net::SocketAddress> proxied_client(std::string_view header);

/// Takes the header off a connection and not a byte more: TLS follows. One thread at a time.
class ProxyHeaderReader final {
 public:
  /// Never waits. Throws as the functions above.
  [[nodiscard]] IoStatus advance(int descriptor);
  /// After IoStatus::done. Throws as proxied_client().
  [[nodiscard]] std::optional<Poco::Net::SocketAddress> client() const {
    return proxied_client(header_);
  }

 private:
  std::string header_;
};

}  // namespace estia::http
