// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace estia::http {

/// A request target in origin form, taken apart.
struct TargetParts {
  std::string path;   ///< raw
  std::string query;  ///< raw, without '?'
  /// Split at '/', percent-encoded unreserved characters decoded, other escapes left as they are
  /// (EST-3.2.2-h). "/" gives one empty segment.
  std::vector<std::string> segments;
};

/// Throws ProtocolError 400 for everything that two readers could understand in two ways: another
/// form than "/path?query", characters outside RFC 3986, bad escapes, %00, %2F, dot segments.
[[nodiscard]] TargetParts parse_target(std::string_view target);

}  // namespace estia::http
