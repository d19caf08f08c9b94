// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libp11.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace estia::admin {

/// A loaded module and its slots, through libp11. Unloading finalises the module for the whole
/// process, so that nothing else may use it meanwhile. One thread.
class Libp11Context final {
 public:
  /// Throws Error{config, "token.module"} for a module that cannot be loaded, Error{token,
  /// "token.slots"}.
  explicit Libp11Context(const std::filesystem::path& module);
  ~Libp11Context();
  Libp11Context(const Libp11Context&) = delete;
  Libp11Context& operator=(const Libp11Context&) = delete;
  Libp11Context(Libp11Context&&) = delete;
  Libp11Context& operator=(Libp11Context&&) = delete;

  [[nodiscard]] std::span<PKCS11_SLOT> slots() noexcept { return {slots_, count_}; }

 private:
  PKCS11_CTX* context_ = nullptr;
  PKCS11_SLOT* slots_ = nullptr;
  unsigned int count_ = 0;
};

/// libp11's own account of its last failure on this thread, for messages; empties the queue.
[[nodiscard]] std::string libp11_reason();

}  // namespace estia::admin
