// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"

namespace estia::test {

/// The value of an Authorization field; `account` as "user:password".
[[nodiscard]] inline std::string basic_authorization(const std::string& account) {
  return "Basic " + base64_encode(as_bytes(account));
}

enum class Connection { keep, close };

/// One enrolment of the bare path as it goes over the wire; an empty `authorization` sends no such
/// field.
[[nodiscard]] inline std::string est_request(std::string_view operation, ByteView csr,
                                             std::string_view authorization,
                                             Connection connection = Connection::keep) {
  const std::string body = base64_encode(csr, 64);
  std::string request = "POST /.well-known/est/";
  request += operation;
  request += " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n";
  if (!authorization.empty()) {
    request += "Authorization: ";
    request += authorization;
    request += "\r\n";
  }
  request += connection == Connection::close ? "Connection: close\r\n" : "";
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return request + body;
}

}  // namespace estia::test
