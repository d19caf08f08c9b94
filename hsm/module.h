// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <filesystem>
#include <memory>
#include <string>

namespace estia::hsm {

/// One loaded and initialised PKCS #11 module. A process has one per file, shared by all its users
/// and kept until the process ends: C_Finalize would break every other user, and hangs or crashes
/// in some modules while a call is out. Any thread.
class Module final {
 public:
  /// Loads (dlopen, symbols kept local) and initialises it with locks of ours, so that it scales
  /// over threads; a module that refuses those gets the system's. Throws Error{config,
  /// "token.module_path"} for a relative path, "token.module_unloadable", "token.module_invalid",
  /// "token.module_in_use" (same module, other arguments) and Error{token} if C_Initialize fails.
  [[nodiscard]] static std::shared_ptr<Module> load(const std::filesystem::path& path,
                                                    const std::string& init_args);

  ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  Module(Module&&) = delete;
  Module& operator=(Module&&) = delete;

  [[nodiscard]] const CK_FUNCTION_LIST* operator->() const noexcept { return functions_; }

 private:
  Module(const std::filesystem::path& path, std::string init_args);
  void initialize();

  std::string init_args_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

/// Modules may leave entries in this thread's OpenSSL error queue, which SSL_get_error then
/// misreads as ours. Restores the queue to what it was when the guard was made.
class ErrorQueueGuard final {
 public:
  ErrorQueueGuard() noexcept;
  ~ErrorQueueGuard();
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard(ErrorQueueGuard&&) = delete;
  ErrorQueueGuard& operator=(ErrorQueueGuard&&) = delete;

 private:
  bool marked_;
};

}  // namespace estia::hsm
