// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/csr.h"

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  estia::fuzz::only_errors_escape([&] {
    const estia::ByteView input(data, size);
    const auto csr = estia::crypto::Csr::parse(input);
    hold(csr.der() == estia::Bytes(input.begin(), input.end()),
         "what was parsed is the whole input");
    hold(csr.subject().matches(csr.subject()), "a name matches itself");
    hold(csr.subject_alt_names().matches(csr.subject_alt_names()),
         "alternative names match themselves");
    csr.verify_signature();
  });
  return 0;
}
