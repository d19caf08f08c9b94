// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/der.h"
#include "crypto/est/key_encryption_request.h"
#include "tests/fuzz/target.h"

namespace {

using estia::ByteView;
using estia::fuzz::hold;

void identifier(ByteView bytes) {
  const auto read = estia::crypto::parse_decrypt_key_identifier(bytes);
  hold(!read.empty(), "an identifier names something");
  const auto again = estia::der::octet_string(read);
  hold(estia::as_text(again) == estia::as_text(bytes), "one identifier, one encoding");
}

void capabilities(ByteView bytes) {
  const auto known = estia::crypto::parse_smime_capabilities(bytes);
  const std::size_t count = known.key_wraps.size() + known.key_transports.size() +
                            known.key_agreements.size() + known.content_ciphers.size();
  hold(count <= 64, "no more capabilities than the limit");
  for (const auto& agreement : known.key_agreements) {
    hold(!agreement.scheme.oid.empty() && agreement.wrap.bits >= 128, "a scheme has its key wrap");
  }
}

}  // namespace

/// Both kinds of attribute value (RFC 7030 4.4.1); the same bytes are never both.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  estia::fuzz::only_errors_escape([&] { identifier({data, size}); });
  estia::fuzz::only_errors_escape([&] { capabilities({data, size}); });
  return 0;
}
