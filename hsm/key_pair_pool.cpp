// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_pair_pool.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/attachment.h"
#include "hsm/objects.h"

namespace estia::hsm {
namespace {

constexpr std::chrono::milliseconds kShortestPause{500};
constexpr std::chrono::milliseconds kLongestPause{60'000};
constexpr std::chrono::seconds kAgeCheck{30};

/// Gives up the lock for a call to the token.
class Unlocked final {
 public:
  explicit Unlocked(std::unique_lock<std::mutex>& lock) : lock_(lock) { lock_.unlock(); }
  ~Unlocked() { lock_.lock(); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  Unlocked(Unlocked&&) = delete;
  Unlocked& operator=(Unlocked&&) = delete;

 private:
  std::unique_lock<std::mutex>& lock_;
};

}  // namespace

KeyPairPool::KeyPairPool(std::shared_ptr<Attachment> attached,
                         const std::map<std::string, std::size_t>& depths,
                         std::atomic<std::uint64_t>& destroyed, const Clock& clock)
    : attached_(std::move(attached)), clock_(clock), destroyed_(destroyed) {
  for (const auto& [name, depth] : depths) {
    if (depth > 0) {
      kinds_.push_back({crypto::KeySpec::parse(name), depth, {}});
    }
  }
  if (!kinds_.empty()) {
    thread_ = std::thread([this] { run(); });
  } else {
    ended_ = true;
  }
}

bool KeyPairPool::halt(std::chrono::milliseconds patience) noexcept {
  std::unique_lock lock(mutex_);
  stop_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, patience, [&] { return ended_; });
}

KeyPairPool::~KeyPairPool() {
  static_cast<void>(halt({}));
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool KeyPairPool::has(const crypto::KeySpec& spec) const {
  const std::scoped_lock lock(mutex_);
  const auto kind = std::ranges::find(kinds_, spec, &Kind::spec);
  return kind != kinds_.end() && !kind->ready.empty();
}

std::optional<KeyPairPool::Taken> KeyPairPool::take(const crypto::KeySpec& spec) {
  const std::scoped_lock lock(mutex_);
  const auto kind = std::ranges::find(kinds_, spec, &Kind::spec);
  if (kind == kinds_.end() || flush_) {
    return std::nullopt;
  }
  set_aside_unusable(*kind);
  changed_.notify_all();  // one less, or none
  if (kind->ready.empty()) {
    return std::nullopt;
  }
  Pair pair = std::move(kind->ready.front().pair);
  kind->ready.pop_front();
  ++out_;
  return Taken(*this, std::move(pair));
}

KeyPairPool::Taken::Taken(Taken&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), pair_(std::move(other.pair_)) {}

KeyPairPool::Taken::~Taken() {
  if (pool_ != nullptr) {
    {
      const std::scoped_lock lock(pool_->mutex_);
      --pool_->out_;
    }
    pool_->changed_.notify_all();
  }
}

void KeyPairPool::flush() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    flush_ = true;
  }
  changed_.notify_all();
}

KeyPairPool::Counts KeyPairPool::counts() const {
  const std::scoped_lock lock(mutex_);
  Counts counts{.ready = {}, .failure = failure_};
  for (const Kind& kind : kinds_) {
    counts.ready[kind.spec.name] = kind.ready.size();
  }
  return counts;
}

/// A clock that was put back makes a pair old, too.
bool KeyPairPool::usable(const Ready& ready, Instant now) const {
  return attached_->current() && now >= ready.made && now - ready.made < kOldest;
}

void KeyPairPool::set_aside_unusable(Kind& kind) {
  const Instant now = clock_.now();
  std::erase_if(kind.ready, [&](const Ready& ready) {
    if (usable(ready, now)) {
      return false;
    }
    old_.push_back(ready.pair.objects);
    return true;
  });
}

KeyPairPool::Kind* KeyPairPool::emptiest() {
  Kind* found = nullptr;
  for (Kind& kind : kinds_) {
    const bool wanting = kind.ready.size() < kind.depth;
    if (wanting && (found == nullptr || kind.ready.size() < found->ready.size())) {
      found = &kind;
    }
  }
  return found;
}

void KeyPairPool::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const ErrorQueueGuard queue;
    try {
      work(lock);
    } catch (const std::exception& error) {
      // Whatever it is, the next attempt may work; status tells.
      const auto* ours = dynamic_cast<const Error*>(&error);
      note_failure(ours == nullptr ? error.what() : ours->id() + " " + ours->detail());
      drop_session(lock);
    }
  }
  drop_session(lock);
  ended_ = true;
  changed_.notify_all();
}

void KeyPairPool::note_failure(const std::string& why) {
  failure_ = why;
  pause_ = std::clamp(2 * pause_, kShortestPause, kLongestPause);
}

/// One step: what has gone wrong first, then what is too old, then what is missing.
void KeyPairPool::work(std::unique_lock<std::mutex>& lock) {
  if (!attached_->current()) {
    drop_session(lock);
    changed_.wait(lock, [&] { return stop_; });
    return;
  }
  for (Kind& kind : kinds_) {
    set_aside_unusable(kind);
  }
  if (flush_) {
    return drop_session(lock);
  }
  if (!old_.empty()) {
    return destroy_old(lock);
  }
  if (pause_.count() > 0) {
    changed_.wait_for(lock, pause_, [&] { return stop_ || flush_; });
    if (stop_ || flush_) {
      return;
    }
  }
  if (Kind* kind = emptiest()) {
    return make_one(*kind, lock);
  }
  changed_.wait_for(lock, kAgeCheck,
                    [&] { return stop_ || flush_ || !old_.empty() || emptiest() != nullptr; });
}

void KeyPairPool::make_one(Kind& kind, std::unique_lock<std::mutex>& lock) {
  std::optional<Ready> made;
  {
    const Unlocked unlocked(lock);
    made = make_pair(kind.spec);
  }
  pause_ = {};
  failure_.clear();
  kind.ready.push_back(std::move(*made));
}

KeyPairPool::Ready KeyPairPool::make_pair(const crypto::KeySpec& spec) {
  const Module::Use in_use(attached_->module(), attached_->generation());
  if (!session_) {
    session_.emplace(attached_->pool().borrow());
    session_->keep();
  }
  const Instant now = clock_.now();
  const SessionPair objects = make_session_pair(attached_->module(), session_->handle(), spec);
  try {
    const Objects reader(attached_->module(), session_->handle());
    return {{objects, reader.public_key(objects.public_object)}, now};
  } catch (...) {
    ++destroyed_;  // with the session, which our caller drops
    throw;
  }
}

/// The session's end is the end of the objects that it made (PKCS #11 6.7.6): SoftHSM takes them
/// away from below a C_WrapKey that is going on.
void KeyPairPool::drop_session(std::unique_lock<std::mutex>& lock) {
  for (Kind& kind : kinds_) {
    destroyed_ += kind.ready.size();
    kind.ready.clear();
  }
  destroyed_ += old_.size();
  old_.clear();
  flush_ = false;
  changed_.wait(lock, [&] { return out_ == 0; });
  const Unlocked unlocked(lock);
  if (session_) {
    session_->mark_broken();
    session_.reset();
  }
}

void KeyPairPool::destroy_old(std::unique_lock<std::mutex>& lock) {
  const std::vector<SessionPair> doomed = std::exchange(old_, {});
  destroyed_ += doomed.size();
  const Unlocked unlocked(lock);
  const Module::Use in_use(attached_->module(), attached_->generation());
  for (const SessionPair& pair : doomed) {
    PairGuard(attached_->module(), *session_, pair).destroy();
  }
}

}  // namespace estia::hsm
