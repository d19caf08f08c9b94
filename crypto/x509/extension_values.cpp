// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/extension_values.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/x509/extension_list.h"

namespace estia::crypto {
namespace {

constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kOid = 0x06;
constexpr std::uint8_t kSequence = 0x30;

[[noreturn]] void refuse(const char* why) {
  throw Error(ErrorCode::malformed, "extension.malformed", "an extension is malformed", why);
}

/// The content of the one element with this tag.
ByteView only_element(ByteView value, std::uint8_t tag, const char* what) {
  try {
    der::check_structure(value);
  } catch (const Error&) {
    refuse(what);
  }
  const der::Element element = der::read(value);
  if (element.tag != tag) {
    refuse(what);
  }
  return element.value;
}

/// GeneralizedTime as X509-4.1.2.5-a wants it: YYYYMMDDHHMMSSZ.
Instant generalized_time(ByteView content) {
  constexpr std::size_t kLength = 15;
  if (content.size() != kLength || content.back() != 'Z' ||
      !std::all_of(content.begin(), content.end() - 1,
                   [](std::uint8_t c) { return c >= '0' && c <= '9'; })) {
    refuse("a time is not YYYYMMDDHHMMSSZ");
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
      value = value * 10 + (content[i] - '0');
    }
    return value;
  };
  std::tm time{};
  time.tm_year = number(0, 4) - 1900;
  time.tm_mon = number(4, 2) - 1;
  time.tm_mday = number(6, 2);
  time.tm_hour = number(8, 2);
  time.tm_min = number(10, 2);
  time.tm_sec = number(12, 2);
  const std::tm written = time;
  const std::time_t seconds = ::timegm(&time);
  // timegm carries over what is out of range: the 31st of February is no date.
  if (time.tm_mon != written.tm_mon || time.tm_mday != written.tm_mday ||
      time.tm_hour != written.tm_hour || time.tm_min != written.tm_min ||
      time.tm_sec != written.tm_sec) {
    refuse("a time that does not exist");
  }
  return from_unix_seconds(seconds);
}

}  // namespace

KeyUsageNames key_usage_names(ByteView value) {
  static constexpr std::array<const char*, 9> kNames = {
      "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
      "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};
  const ByteView content = only_element(value, kBitString, "keyUsage is no BIT STRING");
  if (content.empty() || content[0] > 7 || (content.size() == 1 && content[0] != 0)) {
    refuse("keyUsage is no proper BIT STRING");
  }
  KeyUsageNames names;
  const std::size_t bits = (content.size() - 1) * 8 - content[0];
  for (std::size_t bit = 0; bit < bits; ++bit) {
    if ((content[1 + bit / 8] & (0x80U >> (bit % 8))) != 0) {
      if (bit >= kNames.size()) {
        refuse("keyUsage has a bit without a meaning");
      }
      names.emplace_back(kNames[bit]);
    }
  }
  if (names.empty()) {
    refuse("keyUsage has no bit set");
  }
  return names;
}

std::vector<std::string> key_purpose_oids(ByteView value) {
  ByteView content = only_element(value, kSequence, "extendedKeyUsage is no SEQUENCE");
  std::vector<std::string> oids;
  while (!content.empty()) {
    const der::Element element = der::read(content);
    if (element.tag != kOid) {
      refuse("extendedKeyUsage holds something other than OIDs");
    }
    oids.push_back(dotted_oid(element.value));
  }
  if (oids.empty()) {
    refuse("extendedKeyUsage is empty");
  }
  return oids;
}

UsagePeriod private_key_usage_period(ByteView value) {
  ByteView content = only_element(value, kSequence, "privateKeyUsagePeriod is no SEQUENCE");
  UsagePeriod period;
  std::uint8_t least = 0x80;
  while (!content.empty()) {
    const der::Element element = der::read(content);
    if (element.tag < least || element.tag > 0x81) {
      refuse("privateKeyUsagePeriod holds something unknown");
    }
    (element.tag == 0x80 ? period.not_before : period.not_after) = generalized_time(element.value);
    least = static_cast<std::uint8_t>(element.tag + 1);
  }
  if (!period.not_before && !period.not_after) {
    refuse("privateKeyUsagePeriod is empty");
  }
  return period;
}

}  // namespace estia::crypto
