// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "crypto/base/secret.h"
#include "server/http/message.h"

namespace estia::api {

/// The members keep the order they were added in.
using Json = nlohmann::ordered_json;

/// One JSON object of a request, read member by member. A member of another type or missing is
/// Error{malformed, "api.member"}; finish() refuses those that nobody read, so that a misspelt one
/// cannot be ignored. Values never appear in messages: they may be secrets.
class JsonObject final {
 public:
  /// `place` names the object in messages ("passwords[0]"); empty for the outermost.
  explicit JsonObject(Json value, std::string place = {});
  ~JsonObject();  ///< wipes what it gives back to the heap
  JsonObject(JsonObject&&) = default;
  JsonObject& operator=(JsonObject&&) = default;
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  [[nodiscard]] std::string text(const std::string& member);
  [[nodiscard]] std::optional<std::string> optional_text(const std::string& member);
  [[nodiscard]] std::optional<std::uint64_t> optional_number(const std::string& member);
  [[nodiscard]] bool has(const std::string& member) const { return value_.contains(member); }
  /// The parsed text is wiped.
  [[nodiscard]] Secret secret(const std::string& member);
  /// Of strings; empty when absent.
  [[nodiscard]] std::vector<std::string> texts(const std::string& member);
  /// Of objects; empty when absent.
  [[nodiscard]] std::vector<JsonObject> objects(const std::string& member);
  void finish() const;

 private:
  [[nodiscard]] Json* find(const std::string& member);
  [[noreturn]] void refuse(const std::string& member, const std::string& reason) const;

  Json value_;
  std::string place_;
  std::set<std::string> taken_;
};

/// The body of a request as one JSON object; an empty body is one without members. Throws
/// Error{unsupported_media, "api.media_type"} unless a body is application/json, Error{malformed,
/// "api.json"} for bad syntax, a member twice, more than 16 levels, or something that is no object.
[[nodiscard]] JsonObject body_of(const http::Request& request);

[[nodiscard]] inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

/// application/json, never cached.
[[nodiscard]] http::Response json_response(const Json& value, int status = 200);

/// {id, error, detail}: who asks here runs this CA, so what the configuration's errors say is told,
/// with status 422. Only our own defects keep their detail for the log.
[[nodiscard]] http::Response error_response(const Error& error);

}  // namespace estia::api
