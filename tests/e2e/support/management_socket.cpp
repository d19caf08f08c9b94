// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/management_socket.h"

#include <curl/curl.h>

#include <stdexcept>

namespace estia::e2e {
namespace {

std::size_t take(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

}  // namespace

ManagementSocket::ManagementSocket(std::string path) : path_(std::move(path)) {
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_DEFAULT);  // once, for all threads
  curl_ = ready == CURLE_OK ? ::curl_easy_init() : nullptr;
  if (curl_ == nullptr) {
    throw std::runtime_error("curl_easy_init");
  }
}

ManagementSocket::~ManagementSocket() {
  ::curl_easy_cleanup(curl_);
}

std::pair<int, nlohmann::json> ManagementSocket::post(const std::string& path,
                                                      const nlohmann::json& body) {
  const std::string url = "http://localhost/v1" + path;
  const std::string text = body.dump();
  std::string answer;
  curl_slist* fields = ::curl_slist_append(nullptr, "Content-Type: application/json");
  ::curl_easy_reset(curl_);  // keeps the connection
  ::curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, path_.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl_, CURLOPT_TIMEOUT, 40L);
  ::curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields);
  ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
  ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, text.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
  const CURLcode done = ::curl_easy_perform(curl_);
  long status = 0;
  ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  ::curl_slist_free_all(fields);
  if (done != CURLE_OK) {
    throw std::runtime_error(path + ": " + ::curl_easy_strerror(done));
  }
  return {static_cast<int>(status), nlohmann::json::parse(answer)};
}

nlohmann::json ManagementSocket::post_ok(const std::string& path, const nlohmann::json& body) {
  auto [status, answer] = post(path, body);
  if (status / 100 != 2) {
    throw std::runtime_error(path + ": " + std::to_string(status) + " " + answer.dump());
  }
  return std::move(answer);
}

}  // namespace estia::e2e
