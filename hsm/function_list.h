// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <filesystem>
#include <string_view>
#include <vector>

namespace estia::hsm {

/// The functions of one module, every entry of which may be called: a copy of its list, in which
/// those that it left NULL answer CKR_FUNCTION_NOT_SUPPORTED. Never changes.
class FunctionList final {
 public:
  /// Throws Error{config, "token.module_invalid"}, which names them, if functions are NULL that
  /// Estia cannot do without. `path` is the module's.
  FunctionList(const CK_FUNCTION_LIST& told, const std::filesystem::path& path);

  [[nodiscard]] const CK_FUNCTION_LIST* get() const noexcept { return &list_; }
  /// "C_Sign"; false: the module's own entry is NULL.
  [[nodiscard]] bool has(std::string_view function) const;

 private:
  CK_FUNCTION_LIST list_;
  std::vector<std::string_view> absent_;
};

}  // namespace estia::hsm
