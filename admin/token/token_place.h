// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace estia::admin {

/// Which token a command works on.
struct TokenPlace {
  std::filesystem::path module{};  ///< absolute
  std::string init_args{};         ///< what the module is initialised with; usually empty
  std::string label{};             ///< one of label and serial may be empty
  std::string serial{};
  std::filesystem::path pin_file{};    ///< what estiad reads the user's PIN from; empty: none known
  std::filesystem::path pin_marker{};  ///< estiad's note that the token refused it; may be empty
};

/// A state directory whose estiad is stopped, under the lock as long as this lives.
class HeldState {
 public:
  HeldState() = default;
  virtual ~HeldState() = default;
  HeldState(const HeldState&) = delete;
  HeldState& operator=(const HeldState&) = delete;
  HeldState(HeldState&&) = delete;
  HeldState& operator=(HeldState&&) = delete;

  [[nodiscard]] virtual const TokenPlace& token() const = 0;
  /// Whether its process configuration names others besides.
  [[nodiscard]] virtual bool several() const = 0;
  /// An operator's order in the audit trail, a row for each of `details`, all of them or none;
  /// durable when it returns. `outcome`: "begun", "ok" or an id. Throws Error{store, ...}.
  virtual void audit(const std::string& what, const std::string& outcome,
                     const std::vector<std::string>& details) = 0;
};

/// Takes a state directory, for the token of that name in its process configuration; empty: the
/// main one. Throws Error{conflict, "state.locked"} while estiad runs, Error{not_found,
/// "token.unknown"}, and what else is wrong with it.
using HoldState = std::function<std::unique_ptr<HeldState>(const std::filesystem::path& state,
                                                           const std::string& token)>;

}  // namespace estia::admin
