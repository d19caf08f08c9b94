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

}  // namespace estia::http
