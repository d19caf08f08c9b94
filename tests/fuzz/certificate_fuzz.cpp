// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/certificate.h"

#include "crypto/x509/lint.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using estia::fuzz::hold;
  estia::fuzz::only_errors_escape([&] {
    const estia::ByteView input(data, size);
    const auto certificate = estia::crypto::Certificate::parse(input);
    hold(certificate.der() == estia::Bytes(input.begin(), input.end()),
         "what was parsed is the whole input");
    hold(estia::crypto::Certificate::parse_pem(certificate.to_pem()).front() == certificate,
         "PEM gives it back");
    static_cast<void>(certificate.extended_key_usage());
    static_cast<void>(certificate.subject_alt_names());
    if (certificate.public_key().spec()) {
      const auto& algorithm = estia::crypto::SignatureAlgorithm::for_key(certificate.public_key());
      static_cast<void>(estia::crypto::lint_tbs(certificate.tbs(), algorithm));
    }
  });
  return 0;
}
