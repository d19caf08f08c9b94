// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/general_names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/x509/extension_list.h"
#include "crypto/x509/name.h"

namespace estia::crypto {
namespace {

using Kind = GeneralName::Kind;

constexpr std::size_t kMaxNames = 100;
constexpr std::uint8_t kOtherTag = 0xA0;
constexpr std::uint8_t kEmailTag = 0x81;
constexpr std::uint8_t kDnsTag = 0x82;
constexpr std::uint8_t kDirectoryTag = 0xA4;
constexpr std::uint8_t kUriTag = 0x86;
constexpr std::uint8_t kIpTag = 0x87;
constexpr std::uint8_t kRegisteredIdTag = 0x88;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "san.malformed", "a subject alternative name is malformed",
              why);
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// Preferred name syntax (RFC 1034 3.5) with underscores refused; a first label "*" is a wildcard,
/// which profiles judge.
bool is_host_name(std::string_view name, bool wildcard_allowed) {
  if (name.empty() || name.size() > 253) {
    return false;
  }
  if (wildcard_allowed && name.starts_with("*.")) {
    name.remove_prefix(2);
  }
  while (true) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const std::string_view label = name.substr(0, dot);
    const bool characters = std::all_of(label.begin(), label.end(),
                                        [](char c) { return is_letter_or_digit(c) || c == '-'; });
    if (label.empty() || label.size() > 63 || !characters || label.front() == '-' ||
        label.back() == '-') {
      return false;
    }
    if (dot == name.size()) {
      return true;
    }
    name.remove_prefix(dot + 1);
  }
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

bool is_mailbox(std::string_view text) {
  const std::size_t at = text.rfind('@');
  return at != std::string_view::npos && at != 0 && is_printable_ascii(text) &&
         text.find('@') == at && text.find_first_of("<>\"(),;:\\") == std::string_view::npos &&
         is_host_name(text.substr(at + 1), false);
}

bool is_absolute_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() ||
      !is_printable_ascii(text)) {
    return false;
  }
  const std::string_view scheme = text.substr(0, colon);
  const char first = lower(scheme.substr(0, 1)).front();
  return first >= 'a' && first <= 'z' &&
         std::all_of(
             scheme.begin(), scheme.end(),
             [](char c) { return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.'; }) &&
         (text.substr(colon + 1).rfind("//", 0) != 0 || text.size() > colon + 3);
}

std::string ip_text(ByteView octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = octets.size() == 4 ? AF_INET : AF_INET6;
  if ((octets.size() != 4 && octets.size() != 16) ||
      ::inet_ntop(family, octets.data(), text.data(), static_cast<socklen_t>(text.size())) ==
          nullptr) {
    refuse("iPAddress is not 4 or 16 octets");
  }
  return text.data();
}

std::string other_text(ByteView value) {
  const der::Element type = der::read(value);
  if (type.tag != 0x06 || value.empty()) {
    refuse("otherName");
  }
  return dotted_oid(type.value) + ":" + to_hex(value);
}

std::string checked(bool ok, ByteView value, const char* why) {
  if (!ok) {
    refuse(why);
  }
  return std::string(as_text(value));
}

GeneralName parse_one(const der::Element& element) {
  const Bytes whole(element.whole.begin(), element.whole.end());
  const std::string_view text = as_text(element.value);
  switch (element.tag) {
    case kDnsTag:
      return {Kind::dns, checked(is_host_name(text, true), element.value, "dNSName"), whole};
    case kEmailTag:
      return {Kind::email, checked(is_mailbox(text), element.value, "rfc822Name"), whole};
    case kUriTag:
      return {Kind::uri, checked(is_absolute_uri(text), element.value, "uniformResourceIdentifier"),
              whole};
    case kIpTag:
      return {Kind::ip, ip_text(element.value), whole};
    case kDirectoryTag: {
      const Name name = Name::from_der(element.value);
      if (name.empty()) {
        refuse("empty directoryName");
      }
      return {Kind::directory, name.text(), whole};
    }
    case kOtherTag:
      return {Kind::other, other_text(element.value), whole};
    case kRegisteredIdTag:
      return {Kind::registered_id, dotted_oid(element.value), whole};
    default:
      refuse("kind of name");
  }
}

/// What RFC 5280 7.2 to 7.5 compare: DNS names and mail hosts without case, directory names by
/// value, the rest by bytes.
std::string comparable(const GeneralName& name) {
  switch (name.kind) {
    case Kind::dns:
      return "dns:" + lower(name.text);
    case Kind::email: {
      const std::size_t at = name.text.rfind('@');
      return "email:" + name.text.substr(0, at) + lower(name.text.substr(at));
    }
    case Kind::directory: {
      ByteView rest = name.der;
      return "directory:" + to_hex(Name::from_der(der::read(rest).value).canonical());
    }
    case Kind::ip:
    case Kind::uri:
    case Kind::other:
    case Kind::registered_id:
      break;
  }
  return to_hex(name.der);
}

Bytes encode_text(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string value(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (kind == "dns") {
    return der::tlv(kDnsTag, as_bytes(value));
  }
  if (kind == "email") {
    return der::tlv(kEmailTag, as_bytes(value));
  }
  if (kind == "uri") {
    return der::tlv(kUriTag, as_bytes(value));
  }
  std::array<std::uint8_t, 16> octets{};
  if (kind == "ip" && ::inet_pton(AF_INET, value.c_str(), octets.data()) == 1) {
    return der::tlv(kIpTag, ByteView(octets).first(4));
  }
  if (kind == "ip" && ::inet_pton(AF_INET6, value.c_str(), octets.data()) == 1) {
    return der::tlv(kIpTag, octets);
  }
  throw Error(ErrorCode::config, "san.text",
              "'" + std::string(text) + "' is not dns:HOST, ip:ADDRESS, email:MAILBOX or uri:URI");
}

}  // namespace

std::string_view to_string(GeneralName::Kind kind) noexcept {
  switch (kind) {
    case Kind::dns:
      return "dns";
    case Kind::ip:
      return "ip";
    case Kind::email:
      return "email";
    case Kind::uri:
      return "uri";
    case Kind::directory:
      return "directory";
    case Kind::other:
      return "other";
    case Kind::registered_id:
      return "registered-id";
  }
  return "unknown";
}

GeneralNames GeneralNames::from_der(ByteView der) {
  GeneralNames parsed;
  try {
    der::check_structure(der);  // an OCTET STRING around it hid this from the caller's check
    ByteView rest = der;
    const der::Element outer = der::read(rest);
    ByteView content = outer.value;
    if (outer.tag != 0x30 || content.empty()) {
      refuse("not a non-empty SEQUENCE");
    }
    while (!content.empty()) {
      if (parsed.names_.size() == kMaxNames) {
        refuse("more than 100 names");
      }
      parsed.names_.push_back(parse_one(der::read(content)));
    }
  } catch (const Error& error) {
    if (error.id() == "san.malformed") {
      throw;
    }
    refuse(error.what() + std::string(": ") + error.detail());
  }
  parsed.der_.assign(der.begin(), der.end());
  return parsed;
}

GeneralNames GeneralNames::from_texts(const std::vector<std::string>& texts) {
  Bytes content;
  for (const std::string& text : texts) {
    const Bytes one = encode_text(text);
    content.insert(content.end(), one.begin(), one.end());
  }
  try {
    return from_der(der::tlv(0x30, content));
  } catch (const Error& error) {
    throw Error(ErrorCode::config, "san.text", "alternative name: " + error.detail());
  }
}

std::vector<std::string> GeneralNames::texts() const {
  std::vector<std::string> texts;
  texts.reserve(names_.size());
  for (const GeneralName& name : names_) {
    texts.push_back(std::string(to_string(name.kind)) + ":" + name.text);
  }
  return texts;
}

bool GeneralNames::matches(const GeneralNames& other) const {
  std::vector<std::string> mine;
  std::vector<std::string> theirs;
  std::transform(names_.begin(), names_.end(), std::back_inserter(mine), comparable);
  std::transform(other.names_.begin(), other.names_.end(), std::back_inserter(theirs), comparable);
  std::sort(mine.begin(), mine.end());
  std::sort(theirs.begin(), theirs.end());
  return mine == theirs;
}

}  // namespace estia::crypto
