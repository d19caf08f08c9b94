// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "hsm/function_list.h"
#include "hsm/open_sessions.h"

namespace estia::hsm {

/// One loaded and initialised PKCS #11 module. A process has one per file, shared by all its users
/// and kept until the process ends. It may be restarted (C_Finalize, C_Initialize) while no call is
/// out: handles are of one generation, and mean something else in the next. Any thread.
class Module final {
 public:
  using Generation = std::uint64_t;

  /// As long as one lives, the module is not restarted. Every call to the module is made under one;
  /// they nest.
  class Use final {
   public:
    /// Throws TokenError{CKR_CRYPTOKI_NOT_INITIALIZED} if that generation is over, or about to be.
    Use(const Module& module, Generation generation);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Use(Use&&) = delete;
    Use& operator=(Use&&) = delete;

   private:
    const Module& module_;
    const std::size_t phase_;
  };

  /// Loads (dlopen, symbols kept local) and initialises it with locks of ours, so that it scales
  /// over threads; a module that refuses those gets the system's. Throws Error{config,
  /// "token.module_path"} for a relative path, "token.module_unloadable", "token.module_invalid"
  /// (also where functions that Estia needs are NULL), "token.module_in_use" (same module, other
  /// arguments) and Error{token} if C_Initialize fails.
  [[nodiscard]] static std::shared_ptr<Module> load(const std::filesystem::path& path,
                                                    const std::string& init_args);

  ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  Module(Module&&) = delete;
  Module& operator=(Module&&) = delete;

  [[nodiscard]] const CK_FUNCTION_LIST* operator->() const noexcept { return functions_.get(); }
  /// Whether the module itself has it ("C_Sign"): calls of others that load it find NULL there.
  [[nodiscard]] bool has(std::string_view function) const { return functions_.has(function); }

  [[nodiscard]] Generation generation() const noexcept { return generation_.load(); }
  [[nodiscard]] OpenSessions& sessions() const noexcept { return sessions_; }
  /// Attachments that are in force.
  [[nodiscard]] std::size_t attachments() const noexcept { return attachments_.load(); }
  void count_attachment(bool begins) const noexcept {
    attachments_.fetch_add(begins ? 1 : std::size_t(-1));
  }
  /// Whether no call was out at some moment of `wait`.
  [[nodiscard]] bool wait_until_idle(std::chrono::milliseconds wait) const;
  /// Whether the calls that are out come back within `wait`, or twice that. Keeps nobody out.
  [[nodiscard]] bool calls_come_back(std::chrono::milliseconds wait) const;
  /// Begins another generation than `seen`, unless somebody has done so meanwhile. False: calls
  /// were still out after `wait`, and nothing was done; C_Finalize crashes some modules then.
  /// Throws Error{token} if C_Initialize fails: until a later restart succeeds nobody can use it.
  [[nodiscard]] bool restart(Generation seen, std::chrono::milliseconds wait);

  using Endings = std::list<std::function<void()>>;
  /// Has restart() call `ending`, once, when this generation is over: between C_Finalize and
  /// C_Initialize, while no call is out and nobody may enter; calls to the module fail then. It
  /// must not throw. Call both under a Module::Use.
  [[nodiscard]] Endings::iterator at_end(std::function<void()> ending) const;
  void not_at_end(Endings::iterator ending) const;

 private:
  Module(const std::filesystem::path& path, std::string init_args);
  void initialize();
  /// The phase that the call is counted in; nullopt: it must not be made.
  [[nodiscard]] std::optional<std::size_t> enter(Generation generation) const noexcept;
  void leave(std::size_t phase) const noexcept { uses_[phase].fetch_sub(1); }
  void end_generation();

  std::string init_args_;
  const FunctionList functions_;
  mutable std::mutex restarting_;  ///< held by one restart, or look at calls, at a time
  std::atomic<Generation> generation_{1};
  std::atomic<bool> closed_{false};                         ///< nobody may enter
  mutable std::atomic<std::size_t> phase_{0};               ///< of the calls that begin now: 0 or 1
  mutable std::array<std::atomic<std::size_t>, 2> uses_{};  ///< calls that are out, by phase
  mutable std::atomic<std::size_t> attachments_{0};
  mutable OpenSessions sessions_;
  mutable std::mutex ending_;  ///< guards endings_
  mutable Endings endings_;    ///< of this generation
};

/// Calls `use` under a Module::Use if that generation still lasts; for destructors, whose objects
/// ended with it otherwise.
template <class Function>
void use_if_current(const Module& module, Module::Generation generation, Function&& use) noexcept {
  try {
    const Module::Use in_use(module, generation);
    std::forward<Function>(use)();
  } catch (const std::exception&) {
    // Gone with its generation.
  }
}

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
