// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_uri.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  estia::fuzz::only_errors_escape([&] {
    const auto uri = estia::hsm::KeyUri::parse(estia::as_text({data, size}));
    estia::fuzz::hold(estia::hsm::KeyUri::parse(uri.text()) == uri,
                      "printing and parsing gives the same URI");
  });
  return 0;
}
