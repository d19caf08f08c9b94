// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"

namespace estia::auth {

/// Slows down guessing of passwords (EST-6-c), keyed by account *and* source prefix: nobody's
/// failures lock another's account (D16). In memory and bounded: when the table is full the oldest
/// entry goes, one that refuses nobody yet before one that does, so that neither memory can be
/// filled from outside nor a refusal be pushed out by failures for names that nobody has. Any
/// thread.
class BackOff final {
 public:
  struct Policy {
    unsigned failures = 10;           ///< this many within `window` ...
    std::chrono::seconds window{60};  ///< ... refuse until the window that holds them ends
    std::size_t entries = 10000;
  };

  BackOff() : BackOff(Policy{}) {}
  explicit BackOff(Policy policy);

  /// Throws Error{too_many, "auth.back_off"} while this account is being guessed from this source.
  void check(std::string_view account, std::string_view address, Instant now) const;
  /// `guess` is what was tried, if repeating it is to count once: who sends one thing many times at
  /// once does not guess. Empty: each time counts.
  void failed(std::string_view account, std::string_view address, Instant now, ByteView guess = {});
  void succeeded(std::string_view account, std::string_view address);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    unsigned failures = 0;
    Instant window_start;
    std::vector<Bytes> guesses{};  ///< salted hashes, as many as are counted
  };
  using Key = std::string;
  [[nodiscard]] bool over(const Entry& entry, Instant now) const noexcept;
  [[nodiscard]] bool refuses(const Entry& entry) const noexcept {
    return entry.failures >= policy_.failures;
  }
  [[nodiscard]] Bytes hash_of(ByteView guess) const;
  void make_room(Instant now);

  const Policy policy_;
  Bytes salt_;                // of this process
  mutable std::mutex mutex_;  // guards entries_
  std::map<Key, Entry> entries_;
};

/// What counts as one source: an IPv4 address, or the /64 of an IPv6 address (one subscriber has
/// all of it). A text that is no address stands for itself.
[[nodiscard]] std::string source_prefix(std::string_view address);

}  // namespace estia::auth
