// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "crypto/base/error.h"

namespace estia {

void random_fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      throw Error(ErrorCode::internal, "random.failed", "internal error", "getrandom failed");
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::string random_text(unsigned bits) {
  Bytes bytes(bits / 8);
  random_fill(bytes);
  std::string text = base64_encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return text;
}

}  // namespace estia
