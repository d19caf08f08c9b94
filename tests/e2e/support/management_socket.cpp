// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/management_socket.h"

#include <stdexcept>

namespace estia::e2e {

ManagementSocket::ManagementSocket(std::string path) : path_(std::move(path)) {}

std::pair<int, nlohmann::json> ManagementSocket::post(const std::string& path,
                                                      const nlohmann::json& body) {
  const std::string url = "http://localhost/v1" + path;
  const std::string text = body.dump();
  std::string answer;
  curl_slist* fields = ::curl_slist_append(nullptr, "Content-Type: application/json");
  curl_.begin(url, answer);
  ::curl_easy_setopt(curl_.get(), CURLOPT_UNIX_SOCKET_PATH, path_.c_str());
  ::curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, fields);
  curl_.post(text);
  const CURLcode done = ::curl_easy_perform(curl_.get());
  long status = 0;
  ::curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
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
