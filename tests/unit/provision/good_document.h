// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace estia::test {

/// A run-time configuration that uses every key at least once, over a CA made once per process.
[[nodiscard]] const std::string& good_document();

/// The same with `from` (which must stand in it) replaced once by `to`.
[[nodiscard]] std::string mutated(const std::string& from, const std::string& to);

/// PEM of the two CA certificates of good_document(): the issuing one, and its root.
[[nodiscard]] const std::string& issuing_pem();
[[nodiscard]] const std::string& root_pem();

}  // namespace estia::test
