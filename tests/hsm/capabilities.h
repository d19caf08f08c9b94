// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estia::hsm {

/// What a module may be able to do, by the name that people write. A row of a table, with whether a
/// module is expected to, unless something is said about it.
struct Capability {
  std::string_view name;
  bool usual;             ///< false: only where it is asked for
  std::string_view what;  ///< for people

  [[nodiscard]] static const std::vector<Capability>& known();
  [[nodiscard]] static const Capability& named(std::string_view name);
};

/// What one module can do, and why not the rest.
class Capabilities final {
 public:
  /// Words separated by spaces or commas: "+wrong-pin" can, "-ed25519" cannot, "-ed25519=REASON"
  /// with a reason (underscores are its spaces). Throws std::invalid_argument for names that are
  /// not known, and words without a sign.
  [[nodiscard]] static Capabilities parse(std::string_view words);

  /// nullopt if it can, else why it is not expected to.
  [[nodiscard]] std::optional<std::string> lacks(std::string_view name) const;

 private:
  std::map<std::string, std::optional<std::string>, std::less<>> said_;
};

}  // namespace estia::hsm
