// SPDX-License-Identifier: Apache-2.0
#include "server/provision/java_properties.h"

#include <set>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  estia::fuzz::only_errors_escape([&] {
    std::set<std::string> keys;
    unsigned line = 0;
    for (const auto& property :
         estia::provision::parse_java_properties(estia::as_text({data, size}), "fuzz")) {
      hold(keys.insert(property.key).second, "a key stands once");
      hold(property.line > line, "lines come in order");
      line = property.line;
    }
  });
  return 0;
}
