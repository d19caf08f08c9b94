// SPDX-License-Identifier: Apache-2.0
#include "server/http/target.h"

#include <string>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  estia::fuzz::only_errors_escape([&] {
    const auto parts = estia::http::parse_target(estia::as_text({data, size}));
    hold(parts.path.starts_with('/'), "a path begins with a slash");
    for (const std::string& segment : parts.segments) {
      hold(segment.find('/') == std::string::npos && segment.find('\0') == std::string::npos,
           "no separator and no NUL in a segment");
      hold(segment != "." && segment != "..", "no dot segment");
    }
  });
  return 0;
}
