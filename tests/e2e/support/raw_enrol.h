// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "tests/e2e/support/installation.h"

namespace estia::e2e {

/// A simpleenroll request byte by byte, for what no client that others wrote can be made to send.
struct RawEnrol {
  std::string alias{};                      ///< empty: the path without a label
  std::string account{};                    ///< "user:password"; empty: no Authorization
  std::string type = "application/pkcs10";  ///< Content-Type
  std::string fields{};                     ///< more header lines, each with its CRLF
  std::string body{};

  [[nodiscard]] std::string head() const {
    return "POST /.well-known/est/" + (alias.empty() ? "" : alias + "/") +
           "simpleenroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type + "\r\n" +
           (account.empty() ? ""
                            : "Authorization: Basic " + base64_encode(as_bytes(account)) + "\r\n") +
           fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  }
  [[nodiscard]] std::string bytes() const { return head() + body; }
};

[[nodiscard]] inline std::string ra_account(const Installation& installation) {
  return installation.user() + ":" + installation.password();
}

}  // namespace estia::e2e
