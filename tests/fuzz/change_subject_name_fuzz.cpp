// SPDX-License-Identifier: Apache-2.0
#include "crypto/est/change_subject_name.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  estia::fuzz::only_errors_escape([&] {
    const auto change = estia::crypto::parse_change_subject_name({data, size});
    hold(change.subject || change.san, "something was asked for");
    hold(!change.san || !change.san->empty(), "alternative names that are there are some");
    hold(!change.subject || change.subject->matches(*change.subject), "a name matches itself");
  });
  return 0;
}
