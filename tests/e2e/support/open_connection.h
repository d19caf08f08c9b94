// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/e2e/support/curl_handle.h"
#include "tests/e2e/support/est_client.h"

namespace estia::e2e {

/// One TLS connection of libcurl that stays open between requests: Answer::connections tells how
/// many were made for a request, so 0 says that it went over the one that was open before.
class OpenConnection final {
 public:
  /// As the device's certificate, if it has one.
  OpenConnection(const Installation& installation, const EstiadProcess& server,
                 const Device& device = {});

  [[nodiscard]] Answer get(const std::string& operation);
  /// POST of base64 text as application/pkcs10.
  [[nodiscard]] Answer post(const std::string& operation, const std::string& body);

 private:
  [[nodiscard]] Answer perform(const std::string& operation, const std::string* body);

  const Installation& installation_;
  const EstiadProcess& server_;
  const Device device_;
  CurlHandle curl_;
};

}  // namespace estia::e2e
