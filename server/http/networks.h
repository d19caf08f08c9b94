// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/IPAddress.h>

#include <string>
#include <string_view>
#include <vector>

namespace estia::http {

/// A list of addresses and networks. Immutable; any thread.
class Networks final {
 public:
  Networks() = default;
  /// Each is "192.0.2.7", "192.0.2.0/24", "2001:db8::1" or "2001:db8::/32", without bits beyond its
  /// prefix. Throws Error{config, "http.network"} naming the one that is not.
  explicit Networks(const std::vector<std::string>& texts);

  [[nodiscard]] bool empty() const noexcept { return networks_.empty(); }
  [[nodiscard]] bool contain(const Poco::Net::IPAddress& address) const;

 private:
  struct Network {
    Poco::Net::IPAddress address;
    Poco::Net::IPAddress mask;
  };
  [[nodiscard]] static Network parse(const std::string& text);

  std::vector<Network> networks_;
};

}  // namespace estia::http
