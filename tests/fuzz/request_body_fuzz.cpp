// SPDX-License-Identifier: Apache-2.0
#include "server/est/request_body.h"

#include <algorithm>
#include <string>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  estia::fuzz::only_errors_escape([&] {
    const std::string_view text = estia::as_text({data, size});
    const estia::Bytes der = estia::est::decode_request_body(text);
    estia::fuzz::hold(!der.empty(), "an accepted body is not empty");
    if (text.find('-') == std::string_view::npos) {  // no armour: base64 has one meaning only
      std::string kept(text);
      kept.erase(
          std::remove_if(kept.begin(), kept.end(),
                         [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }),
          kept.end());
      estia::fuzz::hold(estia::base64_encode(der) == kept,
                        "encoding what was decoded gives the text again");
    }
  });
  return 0;
}
