// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hsm/login_session.h"
#include "hsm/module.h"
#include "hsm/running_calls.h"
#include "hsm/session_pool.h"
#include "hsm/slots.h"
#include "hsm/token.h"
#include "hsm/token_statistics.h"

namespace estia::hsm {

/// One login to the token with its sessions. Every object handle is of one attachment, and means
/// nothing in the next, which recovery makes when this one is lost. Any thread.
class Attachment final {
 public:
  /// Finds the token, without logging in.
  class Found final {
   public:
    /// Throws as find_slot() and require_functions().
    Found(std::shared_ptr<const Module> module, const TokenConfig& config);
    [[nodiscard]] const TokenInfo& token() const noexcept { return slot_.token; }

   private:
    friend class Attachment;
    std::shared_ptr<const Module> module_;
    Module::Generation generation_;
    Slot slot_;
  };

  /// Others of the same token, before it. They live as long as a call of theirs is out.
  using Earlier = std::vector<std::weak_ptr<const Attachment>>;

  /// Logs in, with one attempt. `epoch` tells attachments apart. Throws as Token::open.
  [[nodiscard]] static std::shared_ptr<Attachment> make(const Found& found,
                                                        const TokenConfig& config,
                                                        std::uint64_t epoch,
                                                        std::shared_ptr<TokenStatistics> statistics,
                                                        Earlier earlier);

  [[nodiscard]] const Module& module() const noexcept { return *module_; }
  [[nodiscard]] Module::Generation generation() const noexcept { return generation_; }
  [[nodiscard]] const Slot& slot() const noexcept { return slot_; }
  [[nodiscard]] LoginSession& login() noexcept { return login_; }
  [[nodiscard]] SessionPool& pool() noexcept { return pool_; }
  [[nodiscard]] const SessionPool& pool() const noexcept { return pool_; }
  /// Those that the pool does not tell all about.
  [[nodiscard]] RunningCalls& calls() const noexcept { return calls_; }
  [[nodiscard]] TokenStatistics& statistics() const noexcept { return *statistics_; }
  /// Calls to the token that began before, and are not back: of this attachment and earlier ones.
  [[nodiscard]] std::size_t calls_out(std::chrono::steady_clock::time_point before) const;
  /// Empty unless too many of these hang for others to go in after them (TokenConfig::call_limit);
  /// else what is the matter, for people.
  [[nodiscard]] std::string trouble_of_calls(const TokenConfig& config) const;
  /// Of those that go through nobody's session of ours, as SessionPool::borrow(): throws
  /// Error{busy} once all sessions are out for longer than session_wait, or as many as there are
  /// callers for kHangs.
  void refuse_if_all_hang() const;
  /// Of the pool, as far as the token tells.
  [[nodiscard]] std::size_t most_sessions() const noexcept { return cap_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  ~Attachment() { retire(); }
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  Attachment(Attachment&&) = delete;
  Attachment& operator=(Attachment&&) = delete;

  /// Until another takes its place.
  [[nodiscard]] bool current() const noexcept { return current_.load(); }
  /// Its sessions are closed as they come free.
  void retire() noexcept;

 private:
  Attachment(const Found& found, const TokenConfig& config, std::uint64_t epoch,
             std::shared_ptr<TokenStatistics> statistics, Earlier earlier);
  [[nodiscard]] std::size_t overdue(std::chrono::steady_clock::time_point before) const;
  [[nodiscard]] std::size_t blocking(std::chrono::steady_clock::time_point before) const;
  /// Of this one and the earlier ones.
  template <typename Count>
  [[nodiscard]] std::size_t sum(Count count) const;

  const std::shared_ptr<const Module> module_;
  const Module::Generation generation_;
  const Slot slot_;
  const std::size_t cap_;
  const std::uint64_t epoch_;
  const std::shared_ptr<TokenStatistics> statistics_;
  const Earlier earlier_;
  LoginSession login_;
  SessionPool pool_;
  mutable RunningCalls calls_;
  std::atomic<bool> current_{true};
};

}  // namespace estia::hsm
