// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "crypto/base/bytes.h"

namespace estia {

/// Fills with bytes of the kernel's generator (getrandom). Throws Error{internal, "random.failed"}.
/// Any thread.
void random_fill(std::span<std::uint8_t> out);

/// `bits` random bits (a multiple of 8) as unpadded base64url text: for generated passwords and
/// codes (D16: at least 128).
[[nodiscard]] std::string random_text(unsigned bits);

}  // namespace estia
