// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace estia::admin {

/// Where the management API has the object of this name: "/anchors/acme". Throws
/// CLI::ValidationError for a name that would lead elsewhere; `what` is what it should name ("a
/// CA").
[[nodiscard]] std::string object_path(const std::string& collection, const std::string& name,
                                      const std::string& what);

}  // namespace estia::admin
