// SPDX-License-Identifier: Apache-2.0
#include "server/provision/configuration_document.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  estia::fuzz::only_errors_escape([&] {
    const auto parsed = estia::provision::parse(estia::as_text({data, size}), "fuzz.toml");
    const std::string printed = estia::provision::print(parsed);
    estia::fuzz::hold(
        estia::provision::print(estia::provision::parse(printed, "printed.toml")) == printed,
        "printing is stable");
  });
  return 0;
}
