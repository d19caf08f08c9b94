// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <optional>
#include <string>
#include <string_view>

namespace estia::hsm::faults {

// A table of its own and not hsm/ckr.h: that one comes with Estia's errors, and this module may
// depend on nothing that a program loading it has linked in another version.

/// "CKR_DEVICE_ERROR" or "0x30"; nullopt if it is neither.
[[nodiscard]] std::optional<CK_RV> find_code(std::string_view text);

/// What find_code() reads: the name, or the number of a code without one.
[[nodiscard]] std::string code_name(CK_RV code);

}  // namespace estia::hsm::faults
