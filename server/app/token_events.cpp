// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_events.h"

#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "server/app/process_guard.h"
#include "server/ops/log.h"

namespace estia::app {
namespace {

/// A token that comes and goes must not fill the memory while the store is slow.
constexpr std::size_t kMostEntries = 1000;

struct Words {
  const char* id;
  ops::Level level;
  const char* outcome;
};

Words words_of(hsm::TokenEvent::What what) {
  switch (what) {
    case hsm::TokenEvent::What::attached:
      return {"token.attached", ops::Level::info, "ok"};
    case hsm::TokenEvent::What::lost:
      return {"token.lost", ops::Level::warning, "failed"};
    case hsm::TokenEvent::What::away:
      return {"token.away", ops::Level::error, "failed"};
    case hsm::TokenEvent::What::pin_awaited:
      return {"token.pin_awaited", ops::Level::warning, "failed"};
    case hsm::TokenEvent::What::key_refused:
      return {"token.key_refused", ops::Level::error, "failed"};
    case hsm::TokenEvent::What::key_found:
      return {"token.key_found", ops::Level::info, "ok"};
    case hsm::TokenEvent::What::pin_refused:
      break;
  }
  return {"token.pin_refused", ops::Level::error, "failed"};
}

}  // namespace

TokenEvents::TokenEvents(ca::AuditLog& audit, const Clock& clock)
    : audit_(audit), clock_(clock), thread_([this] { run(); }) {}

TokenEvents::~TokenEvents() {
  finish();
}

void TokenEvents::finish() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void TokenEvents::add(const std::string& token, const hsm::TokenEvent& event) {
  const std::lock_guard lock(mutex_);
  if (stop_) {
    return;
  }
  if (entries_.size() < kMostEntries) {
    entries_.push_back({clock_.now(), token, event});
    changed_.notify_all();
  } else {
    ++left_out_;
  }
}

void TokenEvents::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || !entries_.empty(); });
    if (entries_.empty()) {
      return;
    }
    const Entry entry = std::move(entries_.front());
    entries_.pop_front();
    const std::size_t left_out = std::exchange(left_out_, 0);
    lock.unlock();
    if (left_out > 0) {
      ops::log(
          ops::Level::error, "token.not_audited",
          {{"reason", std::to_string(left_out) + " events came faster than they are written"}});
    }
    write(entry);
    lock.lock();
  }
}

void TokenEvents::write(const Entry& entry) noexcept {
  const Words words = words_of(entry.event.what);
  try {
    ops::log(words.level, words.id, {{"token", entry.token}, {"detail", entry.event.detail}});
    audit_.append({.at = entry.at,
                   .who = own_name(),
                   .what = words.id,
                   .outcome = words.outcome,
                   .object = "token/" + entry.token,
                   .detail = entry.event.detail});
  } catch (const std::exception& error) {
    ops::log(ops::Level::error, "token.not_audited", {{"reason", error.what()}});
  }
}

}  // namespace estia::app
