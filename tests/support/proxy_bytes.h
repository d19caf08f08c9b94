// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>
#include <string_view>

namespace estia::test {

/// A header of the PROXY protocol, version 2, byte by byte.
[[nodiscard]] inline std::string proxy_header(char command, char family, std::string_view rest) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += command;
  header += family;
  header += static_cast<char>(rest.size() >> 8U);
  header += static_cast<char>(rest.size() & 0xFFU);
  return header.append(rest);
}

/// TCP over IPv4, from this address and port 4660, to 192.0.2.1 port 443; `more` are extensions.
[[nodiscard]] inline std::string proxy_for(const char* client, std::string_view more = {}) {
  in_addr source{};
  in_addr destination{};
  ::inet_pton(AF_INET, client, &source);
  ::inet_pton(AF_INET, "192.0.2.1", &destination);
  std::string rest(reinterpret_cast<const char*>(&source), sizeof source);
  rest.append(reinterpret_cast<const char*>(&destination), sizeof destination);
  rest.append("\x12\x34\x01\xbb");
  return proxy_header('\x21', '\x11', rest.append(more));
}

[[nodiscard]] inline std::string proxy_for6(const char* client) {
  in6_addr source{};
  ::inet_pton(AF_INET6, client, &source);
  std::string rest(reinterpret_cast<const char*>(&source), sizeof source);
  rest.append(sizeof source, '\0').append("\x12\x34\x01\xbb");
  return proxy_header('\x21', '\x21', rest);
}

}  // namespace estia::test
