// SPDX-License-Identifier: Apache-2.0
#include "server/auth/back_off.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/keys/digest.h"

namespace estia::auth {
namespace {

constexpr std::size_t kLongestAccount = 256;
constexpr std::size_t kSalt = 16;

std::string key_of(std::string_view account, std::string_view address) {
  // Cut, not hashed: two over-long names that share a beginning may share an entry.
  std::string key = source_prefix(address);
  key += ' ';
  key += account.substr(0, kLongestAccount);
  return key;
}

}  // namespace

std::string source_prefix(std::string_view address) {
  std::string text(address.substr(0, address.find('%')));
  std::array<std::uint8_t, 16> octets{};
  if (::inet_pton(AF_INET6, text.c_str(), octets.data()) != 1) {
    return text;
  }
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), octets.begin())) {
    std::array<char, INET_ADDRSTRLEN> v4{};
    ::inet_ntop(AF_INET, octets.data() + kMapped.size(), v4.data(), v4.size());
    return v4.data();
  }
  return to_hex(ByteView(octets.data(), 8)) + "/64";
}

bool BackOff::over(const Entry& entry, Instant now) const noexcept {
  // A clock that was set back must not lock anybody for longer than one window.
  return now >= entry.window_start + policy_.window || now < entry.window_start;
}

void BackOff::check(std::string_view account, std::string_view address, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key_of(account, address));
  if (found == entries_.end() || over(found->second, now) || !refuses(found->second)) {
    return;
  }
  throw Error(ErrorCode::too_many, "auth.back_off",
              "too many failed attempts for this account; try again later");
}

BackOff::BackOff(Policy policy) : policy_(policy), salt_(kSalt) {
  random_fill(salt_);
}

Bytes BackOff::hash_of(ByteView guess) const {
  crypto::Sha256 digest;
  digest.field(salt_);
  digest.field(guess);
  return digest.finish();
}

void BackOff::failed(std::string_view account, std::string_view address, Instant now,
                     ByteView guess) {
  const Bytes hash = guess.empty() ? Bytes() : hash_of(guess);
  const std::lock_guard lock(mutex_);
  const Key key = key_of(account, address);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    make_room(now);
    found = entries_.emplace(key, Entry{0, now}).first;
  } else if (over(found->second, now)) {
    found->second = Entry{0, now};
  }
  Entry& entry = found->second;
  if (!hash.empty()) {
    if (std::ranges::find(entry.guesses, hash) != entry.guesses.end()) {
      return;
    }
    if (entry.guesses.size() < policy_.failures) {
      entry.guesses.push_back(hash);
    }
  }
  ++entry.failures;
}

void BackOff::succeeded(std::string_view account, std::string_view address) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key_of(account, address));
}

std::size_t BackOff::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void BackOff::make_room(Instant now) {
  if (entries_.size() < policy_.entries) {
    return;
  }
  std::erase_if(entries_, [&](const auto& item) { return over(item.second, now); });
  if (entries_.size() >= policy_.entries) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [&](auto& a, auto& b) {
      return std::pair(refuses(a.second), a.second.window_start) <
             std::pair(refuses(b.second), b.second.window_start);
    }));
  }
}

}  // namespace estia::auth
