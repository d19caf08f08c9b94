// SPDX-License-Identifier: Apache-2.0
#include "hsm/token_core.h"

#include <utility>

#include "crypto/base/error.h"

namespace estia::hsm {

TokenCore::TokenCore(TokenConfig config, Recovery::Start start)
    : recovery_(std::make_shared<Recovery>(std::move(config))) {
  if (start == Recovery::Start::now) {
    recovery_->begin();
  }
  recovers_ = std::thread([recovery = recovery_, start] { recovery->run(start); });
  try {
    watches_ = std::thread([recovery = recovery_] { recovery->watch(); });
    if (start == Recovery::Start::later) {
      recovery_->await_first();
    }
  } catch (...) {
    end_threads();
    throw;
  }
}

TokenCore::~TokenCore() {
  end_threads();
}

void TokenCore::end_threads() noexcept {
  constexpr std::chrono::seconds kPatience{1};
  const bool ended = recovery_->stop(kPatience);
  for (std::thread* thread : {&recovers_, &watches_}) {
    if (!thread->joinable()) {
      continue;
    }
    if (ended) {
      thread->join();
    } else {
      thread->detach();
    }
  }
}

TokenStatus TokenCore::status() noexcept {
  TokenStatus status = recovery_->status();
  const std::shared_ptr<Attachment> attached = recovery_->attachment_now();
  if (!attached) {
    return status;
  }
  const SessionPool::Counts counts = attached->pool().counts();
  status.sessions_open = counts.open;
  status.sessions_in_use = counts.in_use;
  status.sessions_cap = counts.cap;
  status.epoch = attached->epoch();
  try {
    const Module::Use use(attached->module(), attached->generation());
    const TokenInfo& token = attached->slot().token;
    status.label = token.label;
    status.serial = token.serial;
    status.manufacturer = token.manufacturer;
    status.model = token.model;
    const TokenInfo now = read_slot(attached->module(), attached->slot().id).token;
    status.present = now.initialized && now.label == token.label && now.serial == token.serial;
    status.logged_in = status.present && attached->login().logged_in();
    if (!status.logged_in) {
      recovery_->report(*attached, status.present ? Fault::login_lost : Fault::gone);
    } else {
      recovery_->report_well();
    }
  } catch (const TokenError& error) {
    recovery_->statistics().failed(error.rv());
    const Remedy told = remedy(error.fault());
    // One that is full, or cannot tell, says nothing of its state: its keys say what it is good
    // for.
    const bool says_nothing = told == Remedy::wait || told == Remedy::refuse;
    if (told == Remedy::look) {
      recovery_->report_unwell(*attached);  // signatures that succeed say nothing of it
    } else {
      recovery_->report(*attached, error.fault());
    }
    status.present = says_nothing;  // an answer, not an error
    status.logged_in = says_nothing;
    status.why = error.id() + " " + error.detail();
  } catch (const std::exception&) {
    status.present = false;
    status.logged_in = false;
  }
  if (!status.logged_in) {  // what was reported has consequences
    status.state = recovery_->status().state;
  }
  return status;
}

void TokenCore::add(const std::shared_ptr<const TokenKey>& key) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(keys_, [](const auto& held) { return held.expired(); });
  keys_.push_back(key);
}

std::vector<std::shared_ptr<const TokenKey>> TokenCore::keys() const {
  std::vector<std::shared_ptr<const TokenKey>> held;
  const std::scoped_lock lock(mutex_);
  for (const auto& key : keys_) {
    if (auto still = key.lock()) {
      held.push_back(std::move(still));
    }
  }
  return held;
}

}  // namespace estia::hsm
