// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace estia::provision {

struct DocumentValue;
using DocumentArray = std::vector<DocumentValue>;
using DocumentTable = std::map<std::string, DocumentValue, std::less<>>;

/// A TOML value with the line it stands on. Kinds that no key of ours has (numbers with a point,
/// dates) are `Other`.
struct DocumentValue {
  struct Other {};
  std::variant<Other, std::string, std::int64_t, bool, DocumentArray, DocumentTable> value{};
  unsigned line = 0;
};

/// `source` is what messages call the text, usually its file. Throws Error{config, "config.syntax"}
/// with source, line and reason, also for a key that is given twice.
[[nodiscard]] DocumentTable parse_toml(std::string_view text, const std::string& source);

/// As a TOML string: in quotes, or as a multi-line literal when it ends with a line break (PEM).
[[nodiscard]] std::string toml_string(std::string_view text);

}  // namespace estia::provision
