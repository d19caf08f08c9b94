// SPDX-License-Identifier: Apache-2.0
#include "server/api/json.h"

#include "crypto/base/wiped_heap.h"
#include "server/http/router.h"

namespace estia::api {
namespace {

constexpr int kDeepest = 16;
constexpr int kIndent = 2;
constexpr std::string_view kMediaType = "application/json";
constexpr int kUnprocessable = 422;

[[noreturn]] void refuse_json(const std::string& reason) {
  throw Error(ErrorCode::malformed, "api.json",
              "the request's body is not the JSON meant: " + reason);
}

/// nlohmann-json takes the last of two equal members and any depth.
Json parse_strictly(const std::string& text) {
  std::vector<std::set<std::string>> open;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) {
      refuse_json("too many levels");
    }
    if (event == Json::parse_event_t::object_start) {
      open.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == Json::parse_event_t::key &&
               !open.back().insert(parsed.get<std::string>()).second) {
      refuse_json("a member stands twice");
    }
    return true;
  };
  const WipedHeap wiped;  // the parser's buffers and errors, where a secret is among what it reads
  try {
    return Json::parse(text, watch);
  } catch (const Json::parse_error& error) {
    // Its text repeats what it read, which may be a secret.
    refuse_json("syntax error at byte " + std::to_string(error.byte));
  }
}

/// "application/json", whatever parameters follow.
bool is_json(const http::Request& request) {
  const std::string field = request.headers.find("Content-Type").value_or("");
  std::string type = field.substr(0, field.find(';'));
  while (type.ends_with(' ')) {
    type.pop_back();
  }
  for (char& c : type) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return type == kMediaType;
}

}  // namespace

JsonObject::JsonObject(Json value, std::string place)
    : value_(std::move(value)), place_(std::move(place)) {
  if (!value_.is_object()) {
    refuse_json((place_.empty() ? "it" : place_) + " must be an object");
  }
}

JsonObject::~JsonObject() {
  const WipedHeap wiped;  // a secret that nobody came to read
  value_ = nullptr;
}

Json* JsonObject::find(const std::string& member) {
  taken_.insert(member);
  const auto found = value_.find(member);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

void JsonObject::refuse(const std::string& member, const std::string& reason) const {
  throw Error(ErrorCode::malformed, "api.member",
              (place_.empty() ? "" : place_ + ".") + member + ": " + reason);
}

std::string JsonObject::text(const std::string& member) {
  std::optional<std::string> value = optional_text(member);
  if (!value) {
    refuse(member, "is needed");
  }
  return std::move(*value);
}

std::optional<std::string> JsonObject::optional_text(const std::string& member) {
  const Json* value = find(member);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    refuse(member, "must be a string");
  }
  return value->get<std::string>();
}

std::optional<std::uint64_t> JsonObject::optional_number(const std::string& member) {
  const Json* value = find(member);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number_unsigned()) {
    refuse(member, "must be a whole number, 0 or more");
  }
  return value->get<std::uint64_t>();
}

Secret JsonObject::secret(const std::string& member) {
  Json* value = find(member);
  if (value == nullptr || !value->is_string()) {
    refuse(member, value == nullptr ? "is needed" : "must be a string");
  }
  auto& text = value->get_ref<std::string&>();
  Secret secret{std::string_view(text)};
  cleanse(text);
  return secret;
}

std::vector<std::string> JsonObject::texts(const std::string& member) {
  std::vector<std::string> list;
  const Json* value = find(member);
  if (value == nullptr) {
    return list;
  }
  if (!value->is_array()) {
    refuse(member, "must be a list of strings");
  }
  for (const Json& element : *value) {
    if (!element.is_string()) {
      refuse(member, "must be a list of strings");
    }
    list.push_back(element.get<std::string>());
  }
  return list;
}

std::vector<JsonObject> JsonObject::objects(const std::string& member) {
  std::vector<JsonObject> list;
  Json* value = find(member);
  if (value == nullptr) {
    return list;
  }
  if (!value->is_array()) {
    refuse(member, "must be a list of objects");
  }
  for (Json& element : *value) {
    list.emplace_back(std::move(element), member + "[" + std::to_string(list.size()) + "]");
  }
  return list;
}

void JsonObject::finish() const {
  for (const auto& [member, value] : value_.items()) {
    if (!taken_.contains(member)) {
      refuse(member, "unknown member");
    }
  }
}

JsonObject body_of(const http::Request& request) {
  if (request.body.empty()) {
    return JsonObject(Json::object());
  }
  if (!is_json(request)) {
    throw Error(ErrorCode::unsupported_media, "api.media_type",
                "the Content-Type of this request must be " + std::string(kMediaType));
  }
  return JsonObject(parse_strictly(request.body));
}

http::Response json_response(const Json& value, int status) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", std::string(kMediaType));
  response.headers.add("Cache-Control", "no-store");
  // Names from old rows or files need not be UTF-8; an answer always is.
  response.body = value.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
  return response;
}

http::Response error_response(const Error& error) {
  const http::Response plain = http::error_response(error);
  const bool ours = error.code() == ErrorCode::internal;
  Json value{{"id", error.id()}, {"error", error.what()}};
  if (!ours && !error.detail().empty()) {
    value["detail"] = error.detail();
  }
  http::Response response =
      json_response(value, error.code() == ErrorCode::config ? kUnprocessable : plain.status);
  response.log_id = error.id();
  response.log_detail = ours ? plain.log_detail : error.detail();
  return response;
}

}  // namespace estia::api
