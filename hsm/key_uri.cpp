// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_uri.h"

#include <algorithm>
#include <set>

#include "crypto/base/error.h"

namespace estia::hsm {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kMaxTokenLabel = 32;   // CK_TOKEN_INFO.label
constexpr std::size_t kMaxTokenSerial = 16;  // CK_TOKEN_INFO.serialNumber

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::config, "key_uri.invalid", "not the PKCS#11 URI of a key: " + why);
}

/// pchar of RFC 7512 less what separates attributes.
bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         std::string_view("-._~:[]@!$'()*+,=&").find(c) != std::string_view::npos;
}

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) {
        refuse("truncated percent escape");
      }
      try {
        out.push_back(static_cast<char>(from_hex(text.substr(i + 1, 2)).front()));
      } catch (const Error&) {
        refuse("bad percent escape");
      }
      i += 2;
    } else if (is_plain(text[i])) {
      out.push_back(text[i]);
    } else {
      refuse("a character that must be percent-encoded");
    }
  }
  return out;
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c) && c != '=' && c != '&') {
      out.push_back(c);
    } else {
      out += "%" + to_hex(as_bytes({&c, 1}));
    }
  }
  return out;
}

std::string limited(std::string value, std::size_t limit, const char* what) {
  if (value.empty() || value.size() > limit || value.find('\0') != std::string::npos) {
    refuse(std::string(what) + " is empty, too long or contains a NUL");
  }
  return value;
}

}  // namespace

KeyUri KeyUri::parse(std::string_view text) {
  if (!text.starts_with(kScheme)) {
    refuse("it does not begin with pkcs11:");
  }
  text.remove_prefix(kScheme.size());
  if (text.find('?') != std::string_view::npos) {
    refuse("query attributes are not accepted; module and PIN belong into estia.toml");
  }
  KeyUri uri;
  std::set<std::string, std::less<>> seen;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view attribute = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = attribute.find('=');
    const std::string name(attribute.substr(0, equals));
    if (equals == std::string_view::npos || !seen.insert(name).second) {
      refuse("attribute without value, or twice: " + name);
    }
    std::string value = decode(attribute.substr(equals + 1));
    if (name == "token") {
      uri.token_ = limited(std::move(value), kMaxTokenLabel, "token");
    } else if (name == "serial") {
      uri.serial_ = limited(std::move(value), kMaxTokenSerial, "serial");
    } else if (name == "object") {
      uri.object_ = limited(std::move(value), 255, "object");
    } else if (name == "id") {
      if (value.empty() || value.size() > 255) {
        refuse("id is empty or too long");
      }
      uri.id_.assign(value.begin(), value.end());  // any octet may stand in it
    } else if (name == "type") {
      if (value != "private") {
        refuse("type is not private");
      }
    } else {
      refuse("attribute not accepted here: " + name);
    }
  }
  if ((uri.token_.empty() && uri.serial_.empty()) || (uri.object_.empty() && uri.id_.empty())) {
    refuse("it must name a token (token or serial) and a key (object or id)");
  }
  return uri;
}

KeyUri KeyUri::of_object(std::string token, std::string object, Bytes id) {
  KeyUri uri;
  uri.token_ = std::move(token);
  uri.object_ = std::move(object);
  uri.id_ = std::move(id);
  return uri;
}

std::string KeyUri::text() const {
  std::string out(kScheme);
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty()) {
      out += (out.size() == kScheme.size() ? "" : ";") + std::string(name) + "=" + value;
    }
  };
  std::string id;
  for (const std::uint8_t octet : id_) {  // P11-2.3-b: fully percent-encoded
    id += "%" + to_hex({&octet, 1});
  }
  add("token", encode(token_));
  add("serial", encode(serial_));
  add("object", encode(object_));
  add("id", id);
  add("type", "private");
  return out;
}

}  // namespace estia::hsm
