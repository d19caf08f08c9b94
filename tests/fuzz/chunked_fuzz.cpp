// SPDX-License-Identifier: Apache-2.0
#include "server/http/chunked.h"

#include "tests/fuzz/target.h"

namespace {

constexpr std::size_t kLimit = 4096;

/// Everything at once, or byte by byte with what was not taken kept for later.
std::string decode(std::string_view input, std::size_t step) {
  estia::http::ChunkedBody body(kLimit, 1024);
  std::string pending;
  for (std::size_t at = 0; at < input.size() && !body.complete(); at += step) {
    pending += input.substr(at, step);
    pending.erase(0, body.feed(pending));
  }
  return body.complete() ? "complete:" + body.take() : "incomplete";
}

std::string outcome(std::string_view input, std::size_t step) {
  try {
    return decode(input, step);
  } catch (const estia::Error&) {
    return "refused";
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = estia::as_text({data, size});
  const std::string whole = outcome(input, input.size() + 1);
  estia::fuzz::hold(whole.size() <= kLimit + 9, "never more than the limit");
  estia::fuzz::hold(whole == outcome(input, 1), "how the bytes arrive changes nothing");
  return 0;
}
