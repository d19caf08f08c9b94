// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl/time.h"

#include <ctime>

namespace estia::crypto {

std::optional<Instant> instant_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (::ASN1_TIME_to_tm(time, &fields) != 1) {
    return std::nullopt;
  }
  return from_unix_seconds(::timegm(&fields));
}

}  // namespace estia::crypto
