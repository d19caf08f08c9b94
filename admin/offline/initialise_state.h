// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "server/provision/initialise.h"
#include "server/provision/state_layout.h"

namespace estia::admin {

/// Everything `estia init` was told.
struct InitialiseOptions {
  std::filesystem::path state{};
  std::filesystem::path module{};
  std::string init_args{};
  std::string token_label{};
  std::string token_serial{};  ///< empty: exactly one token may have the label
  std::filesystem::path pin_file{};
  std::string host{};
  std::uint16_t port = 0;
  provision::InitialisePlan plan{};
};

/// What became of it, for the operator.
struct InitialisedState {
  crypto::Certificate root;
  crypto::Certificate issuing;
  std::string user{};
};

/// Makes a CA: keys in the token, everything else in a new state directory. When it throws, neither
/// the token nor the directory holds anything of it. Throws Error{config, "token.not_found" |
/// "token.ambiguous"} before anything is made, Error{conflict, "state.exists"},
/// and what provision::initialise, hsm::Token and store::Store throw.
[[nodiscard]] InitialisedState initialise_state(const InitialiseOptions& options);

}  // namespace estia::admin
