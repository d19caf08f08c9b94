// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace estia::hsm {

/// What a token says about itself before anybody logs in. Padding is removed.
struct TokenInfo {
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
  bool initialized = false;         ///< C_InitToken was run
  bool user_pin_set = false;        ///< C_InitPIN was run: a login is possible
  bool user_pin_count_low = false;  ///< somebody entered a wrong PIN since the last right one
  bool user_pin_locked = false;
  bool user_pin_final_try = false;  ///< one more wrong PIN locks it
};

/// Every token the module shows, initialised or not, without logging in. Loads and initialises the
/// module. Throws Error{config, "token.module_..."} and Error{token}.
[[nodiscard]] std::vector<TokenInfo> list_tokens(const std::filesystem::path& module,
                                                 const std::string& init_args = {});

}  // namespace estia::hsm
