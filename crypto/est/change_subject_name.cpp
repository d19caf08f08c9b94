// SPDX-License-Identifier: Apache-2.0
#include "crypto/est/change_subject_name.h"

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kSet = 0x31;
constexpr std::uint8_t kTaggedAlt = 0xA1;
constexpr std::uint8_t kContextClass = 0x80;
constexpr std::uint8_t kClassBits = 0xC0;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "change_subject.malformed",
              "the attribute ChangeSubjectName is malformed", why);
}

enum class Field { subject, san };

/// CSN-7.1-a: a Name holds SETs or nothing, GeneralNames hold context tags.
Field field_of(const der::Element& element) {
  if (element.tag == kTaggedAlt) {
    return Field::san;
  }
  if (element.tag != kSequence) {
    refuse("neither a Name nor GeneralNames");
  }
  if (element.value.empty() || element.value.front() == kSet) {
    return Field::subject;
  }
  if ((element.value.front() & kClassBits) == kContextClass) {
    return Field::san;
  }
  refuse("a SEQUENCE that is neither a Name nor GeneralNames");
}

ChangeSubjectName read_fields(ByteView content) {
  ChangeSubjectName change;
  while (!content.empty()) {
    const der::Element element = der::read(content);
    if (change.san) {
      refuse("something follows subjectAlt");
    }
    if (field_of(element) == Field::san) {
      change.san = GeneralNames::from_der(der::tlv(kSequence, element.value));
    } else if (change.subject) {
      refuse("subject stands twice");
    } else {
      change.subject = Name::from_der(element.whole);
      if (change.subject->empty() && !element.value.empty()) {
        refuse("a part of the subject without an attribute");
      }
    }
  }
  return change;
}

}  // namespace

ChangeSubjectName parse_change_subject_name(ByteView der) {
  ChangeSubjectName change;
  try {
    der::check_structure(der);
    ByteView rest = der;
    const der::Element outer = der::read(rest);
    if (outer.tag != kSequence) {
      refuse("not a SEQUENCE");
    }
    change = read_fields(outer.value);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed || error.id() == "change_subject.malformed") {
      throw;
    }
    refuse(error.id() + ": " + error.detail());
  }
  if (!change.subject && !change.san) {
    throw Error(ErrorCode::malformed, "change_subject.empty",
                "the attribute ChangeSubjectName names neither a subject nor alternative names");
  }
  return change;
}

std::optional<ChangeSubjectName> change_subject_name(const Csr& csr) {
  if (!csr.change_subject_name()) {
    return std::nullopt;
  }
  return parse_change_subject_name(*csr.change_subject_name());
}

}  // namespace estia::crypto
