// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/extension_values.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  using estia::fuzz::only_errors_escape;
  const estia::ByteView input(data, size);
  only_errors_escape([&] {
    const auto names = estia::crypto::key_usage_names(input);
    hold(!names.empty(), "a key usage names something");
    hold(estia::crypto::key_usage_names(estia::crypto::key_usage(names).value) == names,
         "the names are written as they are read");
  });
  only_errors_escape([&] {
    const auto oids = estia::crypto::key_purpose_oids(input);
    hold(!oids.empty(), "an extended key usage names something");
    hold(estia::crypto::key_purpose_oids(estia::crypto::extended_key_usage(oids).value) == oids,
         "the OIDs are written as they are read");
  });
  only_errors_escape([&] {
    const auto period = estia::crypto::private_key_usage_period(input);
    hold(period.not_before || period.not_after, "a period has an end");
  });
  return 0;
}
