// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace estia::provision {

/// One line of a properties file, unescaped, as UTF-8.
struct JavaProperty {
  std::string key{};
  std::string value{};
  unsigned line = 0;  ///< where its logical line begins
};

/// Java's .properties as java.util.Properties.load reads it: comments, three separators, escapes,
/// lines that go on. What is UTF-8 is read as that, everything else as Latin-1. Stricter than Java:
/// a key that stands twice is refused, since the earlier value would be lost silently. Throws
/// Error{too_large, "properties.too_large"} over 1 MiB, Error{config, "properties.escape"} and
/// "properties.duplicate" with source and line; a value never appears in a message.
[[nodiscard]] std::vector<JavaProperty> parse_java_properties(std::string_view text,
                                                              const std::string& source);

}  // namespace estia::provision
