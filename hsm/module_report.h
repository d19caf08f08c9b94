// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estia::hsm {

/// What C_GetInfo says.
struct LibraryReport {
  std::string manufacturer{};
  std::string description{};
  std::string version{};   ///< of the library, "2.6"
  std::string cryptoki{};  ///< of the PKCS #11 standard it follows, "2.40"
};

/// What the flags say of one of the two PINs; how many attempts are left is never told.
struct PinReport {
  bool count_low = false;  ///< a wrong PIN was given since the last right one
  bool final_try = false;  ///< one more wrong PIN locks it
  bool locked = false;
  bool to_be_changed = false;
};

/// What C_GetTokenInfo says.
struct TokenReport {
  std::string label{};
  std::string serial{};
  std::string manufacturer{};
  std::string model{};
  bool initialised = false;
  bool user_pin_set = false;
  bool login_required = false;
  bool write_protected = false;
  bool own_pin_pad = false;  ///< the PIN is typed at the token (CKF_PROTECTED_AUTHENTICATION_PATH)
  PinReport user_pin{};
  PinReport so_pin{};
  std::optional<std::uint64_t> sessions{};       ///< of this process; nullopt: it does not tell
  std::optional<std::uint64_t> most_sessions{};  ///< nullopt: it does not tell, or has no limit
};

struct SlotReport {
  std::uint64_t id = 0;  ///< may be another in the next process
  std::string description{};
  std::string manufacturer{};
  std::optional<TokenReport> token{};
  std::string trouble{};  ///< why the token in it cannot be shown
};

struct ModuleReport {
  LibraryReport library{};
  std::vector<SlotReport> slots{};  ///< those without a token among them
};

/// Everything that a module shows before anybody logs in. Loads and initialises it, for good: of
/// modules that are not trusted, in a process of its own. Throws Error{config, "token.module_..."}
/// and Error{token}.
[[nodiscard]] ModuleReport report_on_module(const std::filesystem::path& module,
                                            const std::string& init_args = {});

/// Those of the wanted functions ("C_InitPIN") that are NULL in the module's list, where somebody
/// else is to call them. Loads it, for good. Throws Error{config, "token.module_unloadable"} and
/// "token.module_invalid", also for functions that Estia needs always.
[[nodiscard]] std::vector<std::string> functions_left_out(const std::filesystem::path& module,
                                                          std::span<const std::string_view> wanted);

}  // namespace estia::hsm
