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
    : audit_(audit), queue_(std::make_shared<Queue>(clock)), thread_([this] { run(); }) {}

TokenEvents::~TokenEvents() {
  finish();
}

void TokenEvents::finish() {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->stopped = true;
  }
  queue_->changed.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::function<void(const hsm::TokenEvent&)> TokenEvents::listener(const std::string& token) {
  return [queue = queue_, token](const hsm::TokenEvent& event) { queue->add(token, event); };
}

void TokenEvents::Queue::add(const std::string& token, const hsm::TokenEvent& event) {
  const std::lock_guard lock(mutex);
  if (stopped) {
    return;
  }
  if (entries.size() < kMostEntries) {
    entries.push_back({clock.now(), token, event});
    changed.notify_all();
  } else {
    ++left_out;
  }
}

void TokenEvents::run() {
  std::unique_lock lock(queue_->mutex);
  for (;;) {
    queue_->changed.wait(lock, [&] { return queue_->stopped || !queue_->entries.empty(); });
    if (queue_->entries.empty()) {
      return;
    }
    const Entry entry = std::move(queue_->entries.front());
    queue_->entries.pop_front();
    const std::size_t left_out = std::exchange(queue_->left_out, 0);
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
