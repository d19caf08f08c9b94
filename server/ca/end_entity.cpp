// SPDX-License-Identifier: Apache-2.0
#include "server/ca/end_entity.h"

namespace estia::ca {

std::string username_key(std::string_view username) {
  std::string key;
  bool space = false;
  for (const char c : username) {
    if (c == ' ') {
      space = !key.empty();
      continue;
    }
    if (space) {
      key.push_back(' ');
      space = false;
    }
    key.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return key;
}

}  // namespace estia::ca
