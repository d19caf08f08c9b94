// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/management_client.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <system_error>

#include "crypto/base/error.h"
#include "crypto/base/secret.h"

namespace estia::admin {
namespace {

constexpr long kConnectSeconds = 10;
constexpr long kTotalSeconds = 120;
constexpr std::size_t kLargestAnswer = 64U << 20U;

using HeaderList = std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)>;

std::size_t take(char* data, std::size_t size, std::size_t count, void* text) noexcept {
  auto& answer = *static_cast<std::string*>(text);
  try {
    if (answer.size() + size * count <= kLargestAnswer) {
      answer.append(data, size * count);
      return size * count;
    }
  } catch (const std::bad_alloc&) {
    answer.clear();
  }
  return 0;
}

[[noreturn]] void refuse(long status, const std::string& body) {
  const Json answer = Json::parse(body, nullptr, false);
  if (answer.is_object() && answer.contains("id") && answer["id"].is_string()) {
    throw Error(ErrorCode::conflict, answer["id"], answer.value("error", ""),
                answer.value("detail", ""));
  }
  // What is no refusal may hold a secret.
  constexpr long kRefused = 400;
  throw Error(ErrorCode::internal, "cli.answer",
              "estiad answered " + std::to_string(status) +
                  (status < kRefused ? " and something that is not understood"
                                     : ": " + body.substr(0, 200)));
}

}  // namespace

ManagementClient::ManagementClient(const std::filesystem::path& socket)
    : socket_(socket.string()), curl_(::curl_easy_init()) {
  if (curl_ == nullptr) {
    throw std::bad_alloc();
  }
}

ManagementClient::~ManagementClient() {
  ::curl_easy_cleanup(curl_);
}

Json ManagementClient::get(const std::string& path) {
  return exchange("GET", path, nullptr);
}

Json ManagementClient::send(const char* method, const std::string& path, const Json& body) {
  std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  struct Wipe {
    std::string& text;
    ~Wipe() { cleanse(text); }
  } const wipe{text};
  return exchange(method, path, &text);
}

Json ManagementClient::exchange(const char* method, const std::string& path,
                                const std::string* body) {
  std::string answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
  const std::string url = "http://localhost/v1" + path;
  HeaderList fields(::curl_slist_append(nullptr, "Content-Type: application/json"),
                    &::curl_slist_free_all);
  ::curl_slist_append(fields.get(), "Expect:");
  ::curl_easy_reset(curl_);
  ::curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  ::curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, method);
  ::curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  ::curl_easy_setopt(curl_, CURLOPT_TIMEOUT, kTotalSeconds);
  ::curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, reason.data());
  ::curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take);
  ::curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
  if (body != nullptr) {
    ::curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields.get());
    ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body->c_str());
  }
  if (::curl_easy_perform(curl_) != CURLE_OK) {
    throw Error(ErrorCode::busy, "cli.unreachable", "estiad does not answer on " + socket_,
                reason.data());
  }
  long status = 0;
  ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  constexpr long kOk = 200;
  constexpr long kCreated = 201;
  if (status != kOk && status != kCreated) {
    refuse(status, answer);
  }
  Json value = Json::parse(answer, nullptr, false);
  cleanse(answer);  // it may hold a code
  if (!value.is_object()) {
    refuse(status, answer);
  }
  return value;
}

bool answers(const std::filesystem::path& socket) {
  sockaddr_un address{};
  const std::string& path = socket.native();
  if (path.size() >= sizeof address.sun_path) {
    return false;  // nobody can listen there
  }
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int result =
      ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = result == 0 ? 0 : errno;
  ::close(descriptor);
  if (error == EACCES || error == EPERM) {
    throw Error(ErrorCode::forbidden, "cli.unreachable",
                path + ": " + std::generic_category().message(error));
  }
  return error == 0;
}

}  // namespace estia::admin
