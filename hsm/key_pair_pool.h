// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/keys/public_key.h"
#include "hsm/session_pair.h"
#include "hsm/session_pool.h"

namespace estia::hsm {

class Attachment;

/// Key pairs made in advance: looking for RSA's primes takes seconds. They wait in the token, still
/// unwrapped, as objects of one session that is kept for them. A thread of its own makes one at a
/// time, so that signing keeps the rest of the token. All are thrown away when that session is
/// lost, each of them after an hour; when the attachment is over, the pool is, too. Any thread.
class KeyPairPool final {
 public:
  static constexpr std::chrono::hours kOldest{1};

  /// `depths`: pairs to keep of each kind, by its name. Starts the thread unless they are all 0;
  /// it borrows one session for as long as it lives. `destroyed` counts pairs that were too old, or
  /// lost with their session; it and `clock` outlive the pool.
  KeyPairPool(std::shared_ptr<Attachment> attached,
              const std::map<std::string, std::size_t>& depths,
              std::atomic<std::uint64_t>& destroyed, const Clock& clock);
  ~KeyPairPool();  ///< waits for the pair that is being made; destroys all
  KeyPairPool(const KeyPairPool&) = delete;
  KeyPairPool& operator=(const KeyPairPool&) = delete;
  KeyPairPool(KeyPairPool&&) = delete;
  KeyPairPool& operator=(KeyPairPool&&) = delete;

  struct Pair {
    SessionPair objects;
    crypto::PublicKey
        public_key;  ///< as the token told when it was made: handles may be given anew
  };

  /// A pair on its way out; its session stays open for as long as this lives.
  class Taken final {
   public:
    Taken(Taken&& other) noexcept;
    ~Taken();
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    Taken& operator=(Taken&&) = delete;
    [[nodiscard]] const Pair& pair() const noexcept { return pair_; }

   private:
    friend class KeyPairPool;
    Taken(KeyPairPool& pool, Pair pair) noexcept : pool_(&pool), pair_(std::move(pair)) {}
    KeyPairPool* pool_;
    Pair pair_;
  };

  /// Whether take() would find one, if nobody else takes it.
  [[nodiscard]] bool has(const crypto::KeySpec& spec) const;

  /// A pair that is nobody else's, to be wrapped and destroyed in a session of the caller's;
  /// nothing if there is none. Never waits, never calls the token.
  [[nodiscard]] std::optional<Taken> take(const crypto::KeySpec& spec);

  /// No more are made. False: its thread has not left the token within `patience`; the destructor
  /// would wait for it.
  [[nodiscard]] bool halt(std::chrono::milliseconds patience) noexcept;

  /// Throws all away: the session that made them is suspect. Returns at once.
  void flush() noexcept;

  struct Counts {
    std::map<std::string, std::size_t> ready;  ///< by kind
    std::string failure;  ///< why the last attempt to make one failed; empty after success
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Ready {
    Pair pair;
    Instant made;
  };
  struct Kind {
    crypto::KeySpec spec;
    std::size_t depth;
    std::deque<Ready> ready;  // the oldest first
  };

  void run();
  void work(std::unique_lock<std::mutex>& lock);
  void make_one(Kind& kind, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Ready make_pair(const crypto::KeySpec& spec);
  void drop_session(std::unique_lock<std::mutex>& lock);
  void destroy_old(std::unique_lock<std::mutex>& lock);
  void note_failure(const std::string& why);
  [[nodiscard]] Kind* emptiest();
  [[nodiscard]] bool usable(const Ready& ready, Instant now) const;
  void set_aside_unusable(Kind& kind);

  const std::shared_ptr<Attachment> attached_;
  const Clock& clock_;
  std::optional<SessionPool::Lease> session_;  // the thread's alone

  mutable std::mutex mutex_;  // guards what follows; never held across a call to the token
  std::condition_variable changed_;
  std::vector<Kind> kinds_;
  std::vector<SessionPair> old_;  // no longer for use, still in the token
  std::size_t out_ = 0;           // taken, and still used
  bool flush_ = false;
  bool stop_ = false;
  bool ended_ = false;                  ///< the thread has: nothing of it is in the token
  std::chrono::milliseconds pause_{0};  // before the next attempt, after failures
  std::string failure_;
  std::atomic<std::uint64_t>& destroyed_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace estia::hsm
