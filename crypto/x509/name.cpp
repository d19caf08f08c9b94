// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/name.h"

#include <algorithm>
#include <map>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/extension_list.h"

namespace estia::crypto {
namespace {

constexpr std::size_t kMaxAttributes = 32;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "name.malformed", "the distinguished name is malformed", why);
}

std::string dotted(const ASN1_OBJECT* object) {
  try {
    return dotted_oid({::OBJ_get0_data(object), ::OBJ_length(object)});
  } catch (const Error& error) {
    refuse("attribute type: " + error.detail());
  }
}

std::string short_name_of(const ASN1_OBJECT* object) {
  const int nid = ::OBJ_obj2nid(object);
  return nid == NID_undef ? dotted(object) : ::OBJ_nid2sn(nid);
}

bool is_character_string(int type) {
  return type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING || type == V_ASN1_IA5STRING ||
         type == V_ASN1_T61STRING || type == V_ASN1_BMPSTRING || type == V_ASN1_UNIVERSALSTRING ||
         type == V_ASN1_VISIBLESTRING || type == V_ASN1_NUMERICSTRING;
}

/// C0, DEL and C1 (in UTF-8: C2 80 to C2 9F).
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const bool c1 =
        octet == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (octet < 0x20 || octet == 0x7F || c1) {
      return true;
    }
  }
  return false;
}

std::string utf8_value(const ASN1_STRING* value) {
  if (!is_character_string(::ASN1_STRING_type(value))) {
    refuse("attribute value is no character string");
  }
  unsigned char* out = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&out, value);
  if (size < 0) {
    static_cast<void>(drain_errors());
    refuse("attribute value does not decode");
  }
  const OpenSslPtr<unsigned char> owned(out);
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  if (has_control(text)) {
    refuse("control character in an attribute value");
  }
  return text;
}

/// RFC 5280 7.1 by RFC 4518: case folded, white space trimmed and compressed. Non-ASCII characters
/// keep their case: folding them wrongly would make two names equal that are not.
std::string folded(std::string_view value) {
  std::string out;
  bool space = false;
  for (const char c : value) {
    if (c == ' ') {
      space = !out.empty();
      continue;
    }
    if (space) {
      out.push_back(' ');
      space = false;
    }
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

Bytes canonical_form(const std::vector<NameAttribute>& attributes) {
  std::map<std::size_t, std::vector<Bytes>> rdns;
  for (const NameAttribute& attribute : attributes) {
    const std::string value = folded(attribute.value);
    rdns[attribute.rdn].push_back(
        der::sequence({der::oid(attribute.oid), der::tlv(0x0C, as_bytes(value))}));
  }
  Bytes content;
  for (auto& [index, elements] : rdns) {
    const Bytes set = der::set_of(std::move(elements));
    content.insert(content.end(), set.begin(), set.end());
  }
  return der::tlv(0x30, content);
}

std::vector<NameAttribute> attributes_of(const X509_NAME* name) {
  std::vector<NameAttribute> attributes;
  const int count = ::X509_NAME_entry_count(name);
  if (count < 0 || static_cast<std::size_t>(count) > kMaxAttributes) {
    refuse("too many attributes");
  }
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* entry = ::X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* object = ::X509_NAME_ENTRY_get_object(entry);
    attributes.push_back({.oid = dotted(object),
                          .short_name = short_name_of(object),
                          .value = utf8_value(::X509_NAME_ENTRY_get_data(entry)),
                          .rdn = static_cast<std::size_t>(::X509_NAME_ENTRY_set(entry))});
  }
  return attributes;
}

Bytes encode(const X509_NAME* name) {
  unsigned char* out = nullptr;
  const int size = ::i2d_X509_NAME(name, &out);
  require(size > 0 ? 1 : 0, "i2d_X509_NAME");
  const OpenSslPtr<unsigned char> owned(out);
  return {out, out + size};
}

X509NamePtr decode(ByteView der) {
  const unsigned char* at = der.data();
  X509NamePtr name(::d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
  if (!name || at != der.data() + der.size()) {
    static_cast<void>(drain_errors());
    refuse("does not parse");
  }
  return name;
}

}  // namespace

Name::Name() : der_{0x30, 0x00}, canonical_{0x30, 0x00} {}

Name Name::from_der(ByteView der) {
  try {
    der::check_structure(der);
  } catch (const Error& error) {
    refuse(error.detail());
  }
  const X509NamePtr name = decode(der);
  Name parsed = from_openssl(name.get());
  parsed.der_.assign(der.begin(), der.end());  // byte-equal to what was given (X509-4.1.2.4)
  return parsed;
}

Name Name::from_openssl(const X509_NAME* name) {
  Name parsed;
  parsed.attributes_ = attributes_of(name);
  parsed.der_ = encode(name);
  parsed.canonical_ = canonical_form(parsed.attributes_);
  return parsed;
}

std::optional<std::string> Name::first(std::string_view short_name) const {
  for (const NameAttribute& attribute : attributes_) {
    if (attribute.short_name == short_name || attribute.oid == short_name) {
      return attribute.value;
    }
  }
  return std::nullopt;
}

bool Name::matches(const Name& other) const {
  return canonical_ == other.canonical_;
}

X509NamePtr Name::to_openssl() const {
  return decode(der_);
}

}  // namespace estia::crypto
