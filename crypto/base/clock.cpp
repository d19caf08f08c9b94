// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/clock.h"

#include <array>
#include <ctime>

namespace estia {

std::string utc_text(Instant at) {
  const std::time_t seconds = unix_seconds(at);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace estia
