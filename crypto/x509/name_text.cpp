// SPDX-License-Identifier: Apache-2.0
// Names from and to text. RFC 4514 escapes, but in the order of the encoding: operators write
// "CN=device,O=Acme" the way they read it.
#include <algorithm>
#include <charconv>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/name.h"

namespace estia::crypto {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(ErrorCode::config, "name.text", "'" + std::string(text) + "': " + why);
}

bool is_special(char c) {
  return std::string_view(",+\"\\<>;=").find(c) != std::string_view::npos;
}

std::string escaped(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool edge_space = value[i] == ' ' && (i == 0 || i + 1 == value.size());
    if (is_special(value[i]) || edge_space || (i == 0 && value[i] == '#')) {
      out.push_back('\\');
    }
    out.push_back(value[i]);
  }
  return out;
}

/// X509-4.1.2.4-b: PrintableString where RFC 5280 appendix A demands it, IA5String for the two that
/// need '@' or are domain parts.
int string_type(int nid) {
  switch (nid) {
    case NID_countryName:
    case NID_serialNumber:
    case NID_dnQualifier:
      return V_ASN1_PRINTABLESTRING;
    case NID_domainComponent:
    case NID_pkcs9_emailAddress:
      return V_ASN1_IA5STRING;
    default:
      return V_ASN1_UTF8STRING;
  }
}

bool fits(int type, std::string_view value) {
  if (type == V_ASN1_PRINTABLESTRING) {
    return std::all_of(value.begin(), value.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
             std::string_view(" '()+,-./:=?").find(c) != std::string_view::npos;
    });
  }
  if (type == V_ASN1_IA5STRING) {
    return std::all_of(value.begin(), value.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  }
  return true;
}

bool is_country(std::string_view value) {
  return value.size() == 2 && std::all_of(value.begin(), value.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
         });
}

void append(X509_NAME* name, const NameAttribute& attribute, bool same_rdn) {
  const std::string& type = attribute.short_name.empty() ? attribute.oid : attribute.short_name;
  if (type.empty()) {
    refuse(attribute.value, "an attribute without a type");
  }
  if (type.front() >= '0' && type.front() <= '9') {
    static_cast<void>(der::oid(type));  // OpenSSL takes "1.2." for an OID
  }
  const Asn1ObjectPtr object(::OBJ_txt2obj(type.c_str(), 0));
  if (!object) {
    static_cast<void>(drain_errors());
    refuse(type, "no such attribute type");
  }
  const int nid = ::OBJ_obj2nid(object.get());
  const int encoding = string_type(nid);
  if (attribute.value.empty() || !fits(encoding, attribute.value) ||
      (nid == NID_countryName && !is_country(attribute.value))) {
    throw Error(ErrorCode::malformed, "name.value",
                "the subject attribute " + type + " has a value it cannot have");
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(attribute.value.data());
  // OpenSSL: location -1 appends; set -1 joins the previous RDN, 0 starts a new one.
  if (::X509_NAME_add_entry_by_OBJ(name, object.get(), encoding, bytes,
                                   static_cast<int>(attribute.value.size()), -1,
                                   same_rdn ? -1 : 0) != 1) {
    static_cast<void>(drain_errors());
    throw Error(ErrorCode::malformed, "name.value",
                "the subject attribute " + type + " has a value it cannot have");
  }
}

struct Term {
  std::string type;
  std::string value;
  char end = '\0';  ///< ',' or '+', or NUL at the end
};

/// What follows a backslash: a special character itself, or two hexadecimal digits (RFC 4514 2.4).
char unescape(std::string_view& rest, std::string_view whole) {
  if (!rest.empty() && (is_special(rest.front()) || rest.front() == ' ' || rest.front() == '#')) {
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  }
  unsigned value = 0;
  const char* const end = rest.data() + std::min<std::size_t>(2, rest.size());
  if (rest.size() < 2 || std::from_chars(rest.data(), end, value, 16).ptr != end) {
    refuse(whole, "a backslash before neither a special character nor two hexadecimal digits");
  }
  rest.remove_prefix(2);
  return static_cast<char>(value);
}

Term next_term(std::string_view& rest, std::string_view whole) {
  Term term;
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    refuse(whole, "expected TYPE=VALUE");
  }
  std::string_view type = rest.substr(0, equals);
  while (!type.empty() && type.front() == ' ') {
    type.remove_prefix(1);
  }
  term.type = std::string(type);
  rest.remove_prefix(equals + 1);
  std::size_t kept = 0;  // spaces after this one are unescaped, so no part of the value
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == ',' || c == '+') {
      term.end = c;
      if (rest.empty()) {
        refuse(whole, "ends with a separator");
      }
      break;
    }
    if (c == '\\') {
      term.value.push_back(unescape(rest, whole));
      kept = term.value.size();
    } else if ((is_special(c) && c != '=') || (c == '#' && term.value.empty())) {
      refuse(whole, std::string("write a backslash before ") + c);
    } else if (c != ' ' || !term.value.empty()) {
      term.value.push_back(c);
      kept = c == ' ' ? kept : term.value.size();
    }
  }
  term.value.resize(kept);
  return term;
}

}  // namespace

Name Name::from_text(std::string_view text) {
  std::vector<NameAttribute> attributes;
  std::string_view rest = text;
  std::size_t rdn = 0;
  while (!rest.empty()) {
    Term term = next_term(rest, text);
    attributes.push_back({.oid = {},
                          .short_name = std::move(term.type),
                          .value = std::move(term.value),
                          .rdn = rdn});
    rdn += term.end == '+' ? 0 : 1;
  }
  try {
    return from_attributes(attributes);
  } catch (const Error& error) {
    refuse(text, error.what());
  }
}

Name Name::from_attributes(const std::vector<NameAttribute>& attributes) {
  const X509NamePtr name(require(::X509_NAME_new(), "X509_NAME_new"));
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    append(name.get(), attributes[i], i > 0 && attributes[i].rdn == attributes[i - 1].rdn);
  }
  return from_openssl(name.get());
}

std::string Name::text() const {
  std::string out;
  for (std::size_t i = 0; i < attributes_.size(); ++i) {
    if (i > 0) {
      out += attributes_[i].rdn == attributes_[i - 1].rdn ? "+" : ",";
    }
    out += attributes_[i].short_name + "=" + escaped(attributes_[i].value);
  }
  return out;
}

}  // namespace estia::crypto
