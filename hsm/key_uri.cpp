// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_uri.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "crypto/base/error.h"

namespace estia::hsm {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kLongestUri = 2048;
constexpr std::size_t kLongestObject = 255;
constexpr std::size_t kLongestId = 255;
// Field widths of CK_TOKEN_INFO.
constexpr std::size_t kTokenWidth = 32;
constexpr std::size_t kManufacturerWidth = 32;
constexpr std::size_t kModelWidth = 16;
constexpr std::size_t kSerialWidth = 16;

[[noreturn]] void refuse(const char* id, const std::string& why) {
  throw Error(ErrorCode::config, id, "the PKCS #11 URI is refused: " + why);
}

[[noreturn]] void malformed(const std::string& why) {
  refuse("key_uri.malformed", why);
}

bool is_unreserved(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

/// pk11-pchar of RFC 7512 2.3, without the percent sign.
bool is_path_char(char c) noexcept {
  return is_unreserved(c) || std::string_view(":[]@!$'()*+,=&").find(c) != std::string_view::npos;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!is_path_char(text[i])) {
        malformed("a character that must be percent-encoded");
      }
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      malformed("a broken percent encoding");
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text, bool everything) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (!everything && is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4U]);
    out.push_back(kHex[byte & 15U]);
  }
  return out;
}

/// Length of the well-formed UTF-8 sequence at the front, 0 if there is none (RFC 3629: no overlong
/// form, no surrogate, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool beyond = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || beyond ? 0 : length;
}

/// A text field: UTF-8 without control characters, not empty, no wider than the field.
void check_text(const std::string& value, std::size_t width) {
  if (value.empty() || value.size() > width) {
    malformed("an empty value, or one longer than a token can hold");
  }
  const bool control = std::ranges::any_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  std::string_view rest = value;
  while (!rest.empty() && utf8_length(rest) != 0) {
    rest.remove_prefix(utf8_length(rest));
  }
  if (control || !rest.empty()) {
    malformed("a value that is not plain UTF-8 text");
  }
}

/// Tokens pad their fields with spaces (P11-REC).
std::string padded_field(std::string value, std::size_t width) {
  check_text(value, width);
  value.erase(value.find_last_not_of(' ') + 1);
  if (value.empty()) {
    malformed("a value of spaces only");
  }
  return value;
}

/// P11-2.4-a: pin-value and pin-source are answered by an id of their own, the rest is not
/// accepted.
void refuse_query(std::string_view query) {
  if (query.find("pin-value") != std::string_view::npos ||
      query.find("pin-source") != std::string_view::npos) {
    refuse("key_uri.pin", "it names a PIN; give the PIN file in the configuration");
  }
  refuse("key_uri.unsupported", "query attributes are not accepted");
}

}  // namespace

void KeyUri::assign(std::string_view name, std::string value) {
  if (name == "token") {
    token_ = padded_field(std::move(value), kTokenWidth);
  } else if (name == "serial") {
    serial_ = padded_field(std::move(value), kSerialWidth);
  } else if (name == "manufacturer") {
    manufacturer_ = padded_field(std::move(value), kManufacturerWidth);
  } else if (name == "model") {
    model_ = padded_field(std::move(value), kModelWidth);
  } else if (name == "object") {
    check_text(value, kLongestObject);
    object_ = std::move(value);
  } else if (name == "id") {
    if (value.empty() || value.size() > kLongestId) {
      malformed("an empty or too long id");
    }
    id_.assign(value.begin(), value.end());
  } else if (name == "type") {
    if (value != "private") {
      refuse("key_uri.unsupported", "only type=private names a private key");
    }
  } else if (name == "pin-value" || name == "pin-source") {
    refuse("key_uri.pin", "it names a PIN; give the PIN file in the configuration");
  } else {
    refuse("key_uri.unsupported",
           "accepted are token, serial, manufacturer, model, object, id, type=private");
  }
}

void KeyUri::check_names_a_key() const {
  if (object_.empty() && id_.empty()) {
    refuse("key_uri.no_key", "it needs object or id");
  }
}

KeyUri KeyUri::parse(std::string_view text) {
  if (text.size() > kLongestUri || !text.starts_with(kScheme)) {
    malformed("it does not start with 'pkcs11:', or is too long");
  }
  text.remove_prefix(kScheme.size());
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    refuse_query(text.substr(mark + 1));
  }
  KeyUri uri;
  std::set<std::string_view> seen;
  for (bool more = true; more;) {
    const std::size_t end = text.find(';');
    const std::string_view attribute = text.substr(0, end);
    more = end != std::string_view::npos;
    text.remove_prefix(more ? end + 1 : text.size());
    const std::size_t equals = attribute.find('=');
    if (equals == std::string_view::npos) {
      malformed("an attribute without '='");
    }
    const std::string_view name = attribute.substr(0, equals);
    if (!seen.insert(name).second) {
      malformed("an attribute given twice");
    }
    uri.assign(name, percent_decode(attribute.substr(equals + 1)));
  }
  uri.check_names_a_key();
  return uri;
}

KeyUri KeyUri::for_object(const std::string& token_label, const std::string& object_label,
                          const Bytes& id) {
  KeyUri uri;
  uri.assign("token", token_label);
  if (!object_label.empty()) {
    uri.assign("object", object_label);
  }
  if (!id.empty()) {
    uri.assign("id", std::string(id.begin(), id.end()));
  }
  uri.check_names_a_key();
  return uri;
}

KeyUri KeyUri::with_serial(const std::string& serial) const {
  KeyUri uri = *this;
  uri.assign("serial", serial);
  return uri;
}

std::string KeyUri::text() const {
  std::string out(kScheme);
  const auto add = [&](std::string_view name, std::string_view value, bool everything = false) {
    if (!value.empty()) {
      out += name;
      out += '=';
      out += percent_encode(value, everything);
      out += ';';
    }
  };
  add("token", token_);
  add("manufacturer", manufacturer_);
  add("model", model_);
  add("serial", serial_);
  add("object", object_);
  add("id", as_text(id_), true);  // P11-2.3-b: an id is binary
  return out + "type=private";
}

}  // namespace estia::hsm
