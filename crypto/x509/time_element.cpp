// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/time_element.h"

#include <array>
#include <ctime>

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

[[noreturn]] void refuse(const char* why) {
  throw Error(ErrorCode::internal, "certificate.contents", "internal error", why);
}

}  // namespace

Bytes time_element(Instant at) {
  const std::time_t seconds = unix_seconds(at);
  std::tm fields{};
  if (::gmtime_r(&seconds, &fields) == nullptr) {
    refuse("time out of range");
  }
  const int year = fields.tm_year + 1900;
  if (year < 1950 || year > 9999) {
    refuse("year out of range");
  }
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &fields);
  const std::string_view generalized(text.data(), size);
  return year <= 2049 ? der::tlv(0x17, as_bytes(generalized.substr(2)))
                      : der::tlv(0x18, as_bytes(generalized));
}

}  // namespace estia::crypto
