// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "server/auth/basic.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto credentials = estia::auth::parse_basic(estia::as_text({data, size}));
  if (credentials) {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    const std::string_view password = credentials->password.text();
    estia::fuzz::hold(credentials->user.find(':') == std::string::npos, "split at the first colon");
    estia::fuzz::hold(std::none_of(credentials->user.begin(), credentials->user.end(), control) &&
                          std::none_of(password.begin(), password.end(), control),
                      "no control characters");
  }
  return 0;
}
