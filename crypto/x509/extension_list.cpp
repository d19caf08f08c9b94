// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/extension_list.h"

#include <set>

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

constexpr std::size_t kMaxExtensions = 64;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "extension.malformed", "an extension is malformed", why);
}

Extension parse_one(const der::Element& element) {
  if (element.tag != 0x30) {
    refuse("not a SEQUENCE");
  }
  ByteView content = element.value;
  Extension extension;
  const der::Element type = der::read(content);
  if (type.tag != 0x06) {
    refuse("no OBJECT IDENTIFIER");
  }
  extension.oid = dotted_oid(type.value);
  der::Element next = der::read(content);
  if (next.tag == 0x01) {
    // DER leaves FALSE out, but many encoders write it; TRUE is FF and nothing else.
    if (next.value.size() != 1 || (next.value[0] != 0x00 && next.value[0] != 0xFF)) {
      refuse(extension.oid + " has a BOOLEAN that is none");
    }
    extension.critical = next.value[0] == 0xFF;
    next = der::read(content);
  }
  if (next.tag != 0x04 || !content.empty()) {
    refuse(extension.oid + " has no OCTET STRING at its end");
  }
  extension.value.assign(next.value.begin(), next.value.end());
  return extension;
}

}  // namespace

std::string dotted_oid(ByteView content) {
  std::string text;
  std::uint64_t arc = 0;
  bool first = true;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (arc > (UINT64_MAX >> 7U)) {
      refuse("an arc of an object identifier is too large");
    }
    if (arc == 0 && content[i] == 0x80U) {
      refuse("an arc of an object identifier has a leading zero");
    }
    arc = (arc << 7U) | (content[i] & 0x7FU);
    if ((content[i] & 0x80U) != 0) {
      if (i + 1 == content.size()) {
        refuse("truncated object identifier");
      }
      continue;
    }
    if (first) {
      const std::uint64_t root = arc < 80 ? arc / 40 : 2;
      text = std::to_string(root) + "." + std::to_string(arc - root * 40);
      first = false;
    } else {
      text += '.';
      text += std::to_string(arc);
    }
    arc = 0;
  }
  if (text.empty()) {
    refuse("empty object identifier");
  }
  return text;
}

std::vector<Extension> parse_extensions(ByteView der) {
  ByteView rest = der;
  const der::Element outer = der::read(rest);
  if (outer.tag != 0x30 || !rest.empty()) {
    refuse("not a SEQUENCE OF Extension");
  }
  std::vector<Extension> extensions;
  std::set<std::string> seen;
  ByteView content = outer.value;
  while (!content.empty()) {
    extensions.push_back(parse_one(der::read(content)));
    if (!seen.insert(extensions.back().oid).second) {
      refuse(extensions.back().oid + " stands twice");
    }
    if (extensions.size() > kMaxExtensions) {
      refuse("too many extensions");
    }
  }
  return extensions;
}

Bytes encode_extensions(const std::vector<Extension>& extensions) {
  Bytes content;
  for (const Extension& extension : extensions) {
    const Bytes value = der::octet_string(extension.value);
    const Bytes one = extension.critical  // DER leaves a DEFAULT FALSE out
                          ? der::sequence({der::oid(extension.oid), der::boolean(true), value})
                          : der::sequence({der::oid(extension.oid), value});
    content.insert(content.end(), one.begin(), one.end());
  }
  return der::tlv(0x30, content);
}

}  // namespace estia::crypto
