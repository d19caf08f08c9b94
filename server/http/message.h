// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/secure_bytes.h"
#include "server/http/peer.h"

namespace estia::http {

/// Header fields in the order they came; names are compared without case.
class Headers final {
 public:
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
  /// All values of a field that is a list, as one (RFC 9110 5.3): "a, b".
  [[nodiscard]] std::optional<std::string> list(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const noexcept {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// One complete, strictly framed request, free of any Poco type. The body is whole and
/// length-checked before a handler sees it.
struct Request {
  std::string id;      ///< request id for the log, unique per process
  std::string method;  ///< "GET", "HEAD", "POST", ...
  std::string path;    ///< raw path as received, without query
  std::vector<std::string>
      segments;  ///< path split at '/', percent-encoded unreserved characters decoded (EST-3.2.2-h)
  std::string query;
  Headers headers;
  std::string body;  ///< empty unless the route takes one
  PeerInfo peer;
  /// Whether the client has closed the connection, or lost it, as far as this machine knows. Of the
  /// thread that handles the request, while it does; empty where there is no connection.
  std::function<bool()> client_gone{};
};

/// What a handler answers. Content-Length, Date and Connection are added by the
/// adapter, never by handlers.
struct Response {
  int status = 200;
  Headers headers;  ///< spelt as written here: clients compare "Content-Type" case-sensitively
                    ///< (docs/clients.md)
  std::string body;
  /// Instead of body, for one that holds a private key: it goes from here to TLS without a copy.
  std::shared_ptr<const SecureBytes> secret_body{};
  bool holds_key = false;  ///< somebody's only copy of a key, in whatever form
  bool close = false;      ///< answer with Connection: close
  std::string log_id;      ///< stable id of a refusal, for the log; empty on success
  std::string log_detail;  ///< what only the log may tell about it
};

}  // namespace estia::http
