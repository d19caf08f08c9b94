// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "server/http/framing.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  estia::fuzz::only_errors_escape([&] {
    const std::string_view input = estia::as_text({data, size});
    const estia::http::HeadLimits limits;
    std::size_t scanned = 0;
    const auto length = estia::http::find_head(input, scanned, limits);
    if (!length) {
      return;
    }
    hold(*length <= input.size() && *length <= limits.bytes,
         "a head lies within the input and the limit");
    const auto head = estia::http::parse_head(input.substr(0, *length), limits);
    hold(!(head.chunked && head.content_length), "one framing only");
    hold(head.headers.all().size() <= limits.fields, "no more fields than allowed");
    for (const auto& [name, value] : head.headers.all()) {
      hold(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
           "no line end in a value");
    }
  });
  return 0;
}
