// SPDX-License-Identifier: Apache-2.0
#include "server/http/proxy_header.h"

#include "crypto/base/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace http = estia::http;
  const std::string_view input = estia::as_text({data, size});
  try {
    const auto client = http::proxied_client(input);
    estia::fuzz::hold(size <= http::kLongestProxyHeader, "never a longer header");
    estia::fuzz::hold(!client || size >= http::kProxyPrefixSize + 12, "an address has its bytes");
  } catch (const estia::Error& error) {
    estia::fuzz::hold(error.code() == estia::ErrorCode::malformed, "refused as malformed");
  }
  return 0;
}
