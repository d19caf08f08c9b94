// SPDX-License-Identifier: Apache-2.0
#include "server/auth/password_check.h"

#include <algorithm>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "crypto/keys/digest.h"
#include "crypto/keys/password_digest.h"
#include "server/auth/password.h"

namespace estia::auth {
namespace {

constexpr std::size_t kKeyBytes = 32;

Bytes fresh_key() {
  Bytes key(kKeyBytes);
  random_fill(key);
  return key;
}

}  // namespace

PasswordCheck::PasswordCheck(Limits limits)
    : limits_(limits), key_(fresh_key()), thread_([this] { serve(); }) {}

PasswordCheck::~PasswordCheck() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

PasswordCheck::Cost PasswordCheck::cost_of(const ca::Snapshot& snapshot, const ca::Alias& alias) {
  return std::ranges::any_of(snapshot.accounts,
                             [&](const ca::Account& account) {
                               return account.alias == alias.name && is_chosen(account.password);
                             })
             ? Cost::costly
             : Cost::cheap;
}

bool PasswordCheck::matches(const ca::Account* account, std::string_view password, Cost cost) {
  // An unknown user's goes the way of a wrong one for a generated one, step for step.
  if (account == nullptr || !is_chosen(account->password)) {
    const ca::PasswordHash& stored = account == nullptr ? dummy_password_hash() : account->password;
    const bool right = verify_password(stored, password) && account != nullptr;
    if (!right && cost == Cost::costly) {
      static_cast<void>(check_slowly(dummy_chosen_hash(), password));
    }
    return right;
  }
  const std::string name = account->alias + "/" + account->user;
  const Bytes mac = mac_of(*account, password);
  {
    const std::lock_guard lock(mutex_);
    const auto known = remembered_.find(name);
    if (known != remembered_.end() && equal_constant_time(known->second, mac)) {
      return true;
    }
  }
  if (!check_slowly(account->password, password)) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  remembered_.insert_or_assign(name, mac);
  return true;
}

/// Of the stored hash too: a new password, or the old one set anew, is another account's.
Bytes PasswordCheck::mac_of(const ca::Account& account, std::string_view password) const {
  crypto::Sha256 digest;
  digest.field(as_bytes(account.alias));
  digest.field(as_bytes(account.user));
  digest.field(account.password.salt);
  digest.field(account.password.digest);
  digest.field(as_bytes(password));
  Bytes input = digest.finish();
  Bytes mac = crypto::hmac_sha256(key_, input);
  cleanse(input);
  return mac;
}

bool PasswordCheck::check_slowly(const ca::PasswordHash& stored, std::string_view password) {
  if (!is_chosen(stored)) {
    return verify_password(stored, password);
  }
  // The caller waits, so that what the task refers to lives as long as it runs.
  std::packaged_task<bool()> task([&] { return verify_password(stored, password); });
  std::future<bool> result = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= limits_.queue) {
      throw Error(ErrorCode::too_many, "auth.password_queue",
                  "too many passwords are being checked; try again later");
    }
    queue_.push_back(std::move(task));
    ++slow_checks_;
  }
  arrived_.notify_one();
  return result.get();
}

std::uint64_t PasswordCheck::slow_checks() const {
  const std::lock_guard lock(mutex_);
  return slow_checks_;
}

void PasswordCheck::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    std::packaged_task<bool()> task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();  // what it throws reaches the caller
    lock.lock();
  }
}

}  // namespace estia::auth
