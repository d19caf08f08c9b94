// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/curl_handle.h"

#include <stdexcept>

namespace estia::e2e {
namespace {

std::size_t take(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

}  // namespace

CurlHandle::CurlHandle() {
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_DEFAULT);  // once, for all threads
  curl_ = ready == CURLE_OK ? ::curl_easy_init() : nullptr;
  if (curl_ == nullptr) {
    throw std::runtime_error("curl_easy_init");
  }
}

CurlHandle::~CurlHandle() {
  ::curl_easy_cleanup(curl_);
}

void CurlHandle::begin(const std::string& url, std::string& body) {
  ::curl_easy_reset(curl_);  // keeps the connection
  ::curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl_, CURLOPT_TIMEOUT, 40L);
  ::curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &body);
}

void CurlHandle::post(const std::string& bytes) {
  ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE, static_cast<long>(bytes.size()));
  ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, bytes.c_str());
}

}  // namespace estia::e2e
