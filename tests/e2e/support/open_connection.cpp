// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/open_connection.h"

#include <curl/curl.h>

#include <array>
#include <stdexcept>

namespace estia::e2e {
namespace {

std::size_t take(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

}  // namespace

OpenConnection::OpenConnection(const Installation& installation, const EstiadProcess& server,
                               const Device& device)
    : installation_(installation), server_(server), device_(device) {
  static const CURLcode ready = ::curl_global_init(CURL_GLOBAL_DEFAULT);  // once, for all threads
  curl_ = ready == CURLE_OK ? ::curl_easy_init() : nullptr;
  if (curl_ == nullptr) {
    throw std::runtime_error("curl_easy_init");
  }
}

OpenConnection::~OpenConnection() {
  ::curl_easy_cleanup(curl_);
}

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
  ::curl_easy_reset(curl_);  // keeps the connection
  ::curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl_, CURLOPT_IPRESOLVE, CURL_IPRESOLVE_V4);
  ::curl_easy_setopt(curl_, CURLOPT_TIMEOUT, 40L);
  ::curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl_, CURLOPT_CAINFO, bundle.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error.data());
  ::curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer.body);
  if (!device_.certificate.empty()) {
    ::curl_easy_setopt(curl_, CURLOPT_SSLCERT, device_.certificate.c_str());
    ::curl_easy_setopt(curl_, CURLOPT_SSLKEY, device_.key.c_str());
  }
  if (body != nullptr) {
    ::curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields);
    ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
    ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body->c_str());
  }
  long status = 0;
  long connections = 0;
  if (::curl_easy_perform(curl_) == CURLE_OK) {
    ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    ::curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &connections);
  }
  ::curl_slist_free_all(fields);
  answer.error = error.data();
  answer.status = static_cast<int>(status);
  answer.connections = static_cast<int>(connections);
  return answer;
}

}  // namespace estia::e2e
