// SPDX-License-Identifier: Apache-2.0
#include "server/http/message.h"

#include <algorithm>

#include "server/http/text.h"

namespace estia::http {

std::optional<std::string> Headers::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const auto& field) {
    return equal_ignoring_case(field.first, name);
  });
  return found == fields_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> Headers::list(std::string_view name) const {
  std::optional<std::string> values;
  for (const auto& [field, value] : fields_) {
    if (equal_ignoring_case(field, name)) {
      values = values ? *values + ", " + value : value;
    }
  }
  return values;
}

}  // namespace estia::http
