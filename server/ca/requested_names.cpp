// SPDX-License-Identifier: Apache-2.0
#include "server/ca/requested_names.h"

#include <algorithm>
#include <set>

#include "crypto/base/error.h"
#include "crypto/x509/lint.h"
#include "server/ca/visible_text.h"

namespace estia::ca {
namespace {

/// Attributes that name a path of containers may stand several times; one that names the entity may
/// not.
bool may_repeat(std::string_view attribute) {
  return attribute == "OU" || attribute == "DC";
}

const EndEntityProfile::SubjectRule* find_rule(const EndEntityProfile& profile,
                                               const crypto::NameAttribute& attribute) {
  const auto found =
      std::find_if(profile.subject.begin(), profile.subject.end(), [&](const auto& rule) {
        return rule.attribute == attribute.short_name || rule.attribute == attribute.oid;
      });
  return found == profile.subject.end() ? nullptr : &*found;
}

/// A name that reads like another one, or that nobody can type, serves only to deceive whoever
/// looks at a certificate, a log or an approval.
void check_visible(std::string_view where, std::string_view text) {
  if (const auto character = invisible_character(text)) {
    throw Error(ErrorCode::malformed, "enroll.name_character",
                std::string(where) + " holds a character that cannot be seen (" + *character + ")");
  }
}

crypto::Name subject_by_profile(const EndEntityProfile& profile, const crypto::Name& wished) {
  std::vector<crypto::NameAttribute> attributes = wished.attributes();
  std::set<std::string> seen;
  for (crypto::NameAttribute& attribute : attributes) {
    const auto* rule = find_rule(profile, attribute);
    if (rule == nullptr) {
      throw Error(ErrorCode::malformed, "enroll.subject_attribute",
                  "the subject attribute " + attribute.short_name + " is not allowed here");
    }
    if (!seen.insert(rule->attribute).second && !may_repeat(rule->attribute)) {
      throw Error(ErrorCode::malformed, "enroll.subject_attribute",
                  "the subject attribute " + attribute.short_name + " stands twice");
    }
    if (rule->fixed) {
      attribute.value = *rule->fixed;  // as EJBCA: the profile's value silently wins
    } else {
      check_visible("the subject attribute " + attribute.short_name, attribute.value);
    }
  }
  std::size_t next_rdn = attributes.empty() ? 0 : attributes.back().rdn + 1;
  for (const auto& rule : profile.subject) {
    if (seen.contains(rule.attribute)) {
      continue;
    }
    if (rule.fixed) {
      attributes.push_back(
          {.oid = {}, .short_name = rule.attribute, .value = *rule.fixed, .rdn = next_rdn++});
    } else if (rule.required) {
      throw Error(ErrorCode::malformed, "enroll.subject_missing",
                  "the subject needs the attribute " + rule.attribute);
    }
  }
  return crypto::Name::from_attributes(attributes);
}

void check_san(const EndEntityProfile& profile, const crypto::GeneralNames& san) {
  if (san.names().size() > profile.max_san) {
    throw Error(ErrorCode::malformed, "enroll.san_count", "too many subject alternative names");
  }
  for (const crypto::GeneralName& name : san.names()) {
    if (std::find(profile.san.begin(), profile.san.end(), name.kind) == profile.san.end()) {
      throw Error(ErrorCode::malformed, "enroll.san_kind",
                  "subject alternative names of kind " + std::string(crypto::to_string(name.kind)) +
                      " are not allowed here");
    }
    if (name.kind == crypto::GeneralName::Kind::dns && name.text.find('*') != std::string::npos) {
      throw Error(ErrorCode::malformed, "enroll.san_wildcard",
                  "wildcard names are not allowed here");
    }
    check_visible("a subject alternative name", name.text);
  }
}

}  // namespace

RequestedNames requested_names(const EndEntityProfile& profile, const crypto::Name& subject,
                               const crypto::GeneralNames& san) {
  check_san(profile, san);
  RequestedNames names{subject_by_profile(profile, subject), san};
  if (names.subject.empty() && names.san.empty()) {
    throw Error(ErrorCode::malformed, "enroll.subject_missing",
                "the request names nobody: neither a subject nor an alternative name");
  }
  if (const auto bound = crypto::over_upper_bound(names.subject)) {
    throw Error(ErrorCode::malformed, "enroll.subject_too_long", "the subject attribute " + *bound);
  }
  return names;
}

void require_inside(const NameScope& scope, const RequestedNames& names) {
  if (const auto outside = scope.outside(names.subject, names.san)) {
    throw Error(ErrorCode::forbidden, "enroll.outside_scope",
                "this name is outside what may be requested here", *outside);
  }
}

}  // namespace estia::ca
