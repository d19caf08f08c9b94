// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <string>

namespace estia::e2e {

/// A libcurl handle that keeps its connection between requests; used by one thread at a time.
class CurlHandle final {
 public:
  CurlHandle();
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;
  CurlHandle(CurlHandle&&) = delete;
  CurlHandle& operator=(CurlHandle&&) = delete;

  /// Forgets every option of the last request and sets those that all share; what is received goes
  /// to `body`, which must outlive the request.
  void begin(const std::string& url, std::string& body);
  /// POST of these bytes, which must outlive the request.
  void post(const std::string& bytes);
  [[nodiscard]] CURL* get() const noexcept { return curl_; }

 private:
  CURL* curl_;
};

}  // namespace estia::e2e
