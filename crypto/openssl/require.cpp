// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl/require.h"

#include <openssl/err.h>

#include <array>

#include "crypto/base/error.h"

namespace estia::crypto {

std::string drain_errors() {
  std::string text;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ::ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    std::array<char, 256> line{};
    ::ERR_error_string_n(code, line.data(), line.size());
    text += text.empty() ? "" : "; ";
    text += line.data();
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') {
      text += std::string(" (") + data + ")";
    }
  }
  return text;
}

void require(int rc, const char* function) {
  if (rc != 1) {
    throw Error(ErrorCode::internal, "openssl.failed", "internal error",
                std::string(function) + ": " + drain_errors());
  }
}

}  // namespace estia::crypto
