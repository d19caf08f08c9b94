// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/object_path.h"

#include <CLI/CLI.hpp>

namespace estia::admin {

std::string object_path(const std::string& collection, const std::string& name,
                        const std::string& what) {
  if (name.empty() || name.find_first_of("/?#%") != std::string::npos) {
    throw CLI::ValidationError("NAME", "'" + name + "' is not the name of " + what);
  }
  return "/" + collection + "/" + name;
}

}  // namespace estia::admin
