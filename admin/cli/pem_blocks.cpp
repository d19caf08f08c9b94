// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/pem_blocks.h"

#include <string_view>

namespace estia::admin {

std::string certificates_in(const std::string& file) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::string blocks;
  for (std::size_t at = file.find(kBegin); at != std::string::npos; at = file.find(kBegin, at)) {
    const std::size_t end = file.find(kEnd, at);
    if (end == std::string::npos) {
      return file;  // for estiad to say what is wrong with it
    }
    blocks += file.substr(at, end + kEnd.size() - at) + "\n";
    at = end;
  }
  return blocks.empty() ? file : blocks;
}

}  // namespace estia::admin
