// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/open_connection.h"

#include <array>

namespace estia::e2e {

OpenConnection::OpenConnection(const Installation& installation, const EstiadProcess& server,
                               const Device& device)
    : installation_(installation), server_(server), device_(device) {}

Answer OpenConnection::get(const std::string& operation) {
  return perform(operation, nullptr);
}

Answer OpenConnection::post(const std::string& operation, const std::string& body) {
  return perform(operation, &body);
}

Answer OpenConnection::perform(const std::string& operation, const std::string* body) {
  Answer answer;
  std::array<char, CURL_ERROR_SIZE> error{};
  const std::string url = server_.url(operation);
  const std::string bundle = installation_.ca_bundle().string();
  curl_slist* fields = ::curl_slist_append(nullptr, "Content-Type: application/pkcs10");
  curl_.begin(url, answer.body);
  ::curl_easy_setopt(curl_.get(), CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
  ::curl_easy_setopt(curl_.get(), CURLOPT_CAINFO, bundle.c_str());
  ::curl_easy_setopt(curl_.get(), CURLOPT_ERRORBUFFER, error.data());
  if (!device_.certificate.empty()) {
    ::curl_easy_setopt(curl_.get(), CURLOPT_SSLCERT, device_.certificate.c_str());
    ::curl_easy_setopt(curl_.get(), CURLOPT_SSLKEY, device_.key.c_str());
  }
  if (body != nullptr) {
    ::curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, fields);
    curl_.post(*body);
  }
  long status = 0;
  long connections = 0;
  if (::curl_easy_perform(curl_.get()) == CURLE_OK) {
    ::curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    ::curl_easy_getinfo(curl_.get(), CURLINFO_NUM_CONNECTS, &connections);
  }
  ::curl_slist_free_all(fields);
  answer.error = error.data();
  answer.status = static_cast<int>(status);
  answer.connections = static_cast<int>(connections);
  return answer;
}

}  // namespace estia::e2e
