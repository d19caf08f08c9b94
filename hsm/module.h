// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hsm/pkcs11.h"

namespace estia::hsm {

/// A loaded and initialised PKCS#11 module. Never unloaded and never finalised while the process lives: C_Finalize is process-wide, and
/// modules leave threads and atexit handlers behind. Any thread.
class Module final {
 public:
  /// dlopen + C_Initialize, once per path in a process (a second load of the same path gives the same object). `init_args` goes to pReserved
  /// (NSS softokn needs it). Throws Error{config, "token.module"} when it is no PKCS#11 module, Error{token, ...} when it does not initialise.
  [[nodiscard]] static std::shared_ptr<Module> load(const std::filesystem::path& path, const std::string& init_args);

  Module(const Module&) = delete;  // one owner of process-wide state
  Module& operator=(const Module&) = delete;

  [[nodiscard]] const CK_FUNCTION_LIST& call() const noexcept { return *functions_; }
  [[nodiscard]] std::vector<CK_SLOT_ID> slots_with_token() const;
  [[nodiscard]] CK_TOKEN_INFO token_info(CK_SLOT_ID slot) const;

 private:
  Module(const std::filesystem::path& path, const std::string& init_args);
  void initialise(const std::string& init_args) const;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

/// A fixed-size PKCS#11 text field without its padding.
template <std::size_t N>
[[nodiscard]] std::string padded_text(const unsigned char (&field)[N]) {  // NOLINT(modernize-avoid-c-arrays): PKCS#11's type
  std::string text(reinterpret_cast<const char*>(field), N);
  text.erase(text.find_last_not_of(std::string_view(" \0", 2)) + 1);
  return text;
}

}  // namespace estia::hsm
