// SPDX-License-Identifier: Apache-2.0
#include "server/ca/naming.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "server/ca/end_entity.h"

namespace estia::ca {
namespace {

constexpr std::size_t kRandomUsername = 12;
constexpr std::size_t kRandomAffix = 10;
constexpr std::size_t kLongestUsername = 255;
constexpr std::string_view kRandomMark = "${RANDOM}";

/// Characters that usernames are compared by as they stand: lower case and digits, 5 bits each.
std::string random_characters(std::size_t count) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  Bytes octets(count);
  random_fill(octets);
  std::string text;
  for (const std::uint8_t octet : octets) {
    text += kAlphabet[octet % kAlphabet.size()];
  }
  return text;
}

std::string expanded(std::string affix) {
  for (std::size_t at = affix.find(kRandomMark); at != std::string::npos;
       at = affix.find(kRandomMark, at + kRandomAffix)) {
    affix.replace(at, kRandomMark.size(), random_characters(kRandomAffix));
  }
  return affix;
}

[[noreturn]] void refuse_missing(const std::string& fields) {
  throw Error(ErrorCode::malformed, "enroll.no_username",
              "the subject needs the attribute " + fields);
}

std::string first_present(const Alias& alias, const crypto::Name& subject) {
  std::string tried;
  for (const std::string& field : alias.name_parameters) {
    if (field == kWholeSubject && !subject.empty()) {
      return subject.text();
    }
    const auto value = value_of(subject, field);
    if (value && !username_key(*value).empty()) {
      return *value;
    }
    tried += (tried.empty() ? "" : " or ") + field;
  }
  refuse_missing(tried);
}

std::string base_username(const Alias& alias, const crypto::Name& subject) {
  switch (alias.name_scheme) {
    case NameScheme::dn:
      return first_present(alias, subject);
    case NameScheme::random:
      return random_characters(kRandomUsername);
    case NameScheme::fixed:
      return alias.name_parameters.front();
    case NameScheme::username:
      return username_in(subject, kWholeSubject);
  }
  return {};
}

}  // namespace

bool has_random_usernames(const Alias& alias) noexcept {
  return alias.name_scheme == NameScheme::random ||
         alias.name_prefix.find(kRandomMark) != std::string::npos ||
         alias.name_postfix.find(kRandomMark) != std::string::npos;
}

std::string_view attribute_of(std::string_view field) noexcept {
  if (field == "SN") {
    return "serialNumber";
  }
  return field == "SURNAME" ? "SN" : field;
}

std::optional<std::string> value_of(const crypto::Name& subject, std::string_view field) {
  return subject.first(attribute_of(field));
}

std::string generated_username(const Alias& alias, const crypto::Name& subject) {
  std::string username =
      expanded(alias.name_prefix) + base_username(alias, subject) + expanded(alias.name_postfix);
  if (username_key(username).empty()) {
    refuse_missing("that names the end entity: it is blank");
  }
  if (username.size() > kLongestUsername) {
    throw Error(ErrorCode::malformed, "enroll.username_too_long",
                "the name of the end entity is too long");
  }
  return username;
}

std::string username_in(const crypto::Name& subject, std::string_view field) {
  if (field == kWholeSubject) {
    if (subject.empty()) {
      refuse_missing("that names the end entity: it is empty");
    }
    return subject.text();
  }
  const auto value = value_of(subject, field);
  if (!value || username_key(*value).empty()) {
    refuse_missing(std::string(field));
  }
  return *value;
}

std::optional<std::string> named_by(const Alias& alias, const crypto::Name& subject) {
  if (alias.mode == AliasMode::ra) {
    return generated_username(alias, subject);
  }
  if (alias.username_field == kWholeSubject) {
    return subject.empty() ? std::nullopt : std::optional(subject.text());
  }
  return value_of(subject, alias.username_field);
}

crypto::Name without_field(const crypto::Name& name, std::string_view field) {
  std::vector<crypto::NameAttribute> kept = name.attributes();
  const std::string_view attribute = attribute_of(field);
  std::erase_if(kept, [&](const crypto::NameAttribute& each) {
    return each.short_name == attribute || each.oid == attribute;
  });
  return kept.size() == name.attributes().size() ? name : crypto::Name::from_attributes(kept);
}

}  // namespace estia::ca
