// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace estia::admin {

/// The certificates of a PEM file without the text beside them: openssl writes subject and issuer
/// there. A file without any, or with one that does not end, as it is: estiad says what is wrong.
[[nodiscard]] std::string certificates_in(const std::string& file);

}  // namespace estia::admin
