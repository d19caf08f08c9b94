// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libp11.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace estia::admin {

/// A loaded module and its slots, through libp11. Unloading finalises the module for the whole
/// process: whatever else uses it does so while this lives. One thread.
class Libp11Context final {
 public:
  /// Throws Error{config, "token.module"} for a module that cannot be loaded, Error{token,
  /// "token.slots"}.
  explicit Libp11Context(const std::filesystem::path& module, const std::string& init_args = {});
  ~Libp11Context();
  Libp11Context(const Libp11Context&) = delete;
  Libp11Context& operator=(const Libp11Context&) = delete;
  Libp11Context(Libp11Context&&) = delete;
  Libp11Context& operator=(Libp11Context&&) = delete;

  [[nodiscard]] std::span<PKCS11_SLOT> slots() noexcept { return {slots_, count_}; }
  /// Reads again what the slots hold; pointers to them are worth nothing afterwards. Throws
  /// Error{token, "token.slots"}.
  void refresh();

 private:
  std::string init_args_;  ///< libp11 keeps the pointer
  PKCS11_CTX* context_ = nullptr;
  PKCS11_SLOT* slots_ = nullptr;
  unsigned int count_ = 0;
};

/// libp11's own account of its last failure on this thread, for messages; empties the queue.
[[nodiscard]] std::string libp11_reason();

/// One of libp11's texts, which may be null, without padding.
[[nodiscard]] std::string unpadded_text(const char* text);

}  // namespace estia::admin
