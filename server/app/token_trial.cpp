// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_trial.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/key_proof.h"
#include "server/app/own_thread.h"
#include "server/ops/log.h"

namespace estia::app {
namespace {

void log_proved(const char* event, const api::ProvedKey& proved) {
  ops::log(proved.id.empty() ? ops::Level::info : ops::Level::warning, event,
           {{"ca", proved.ca},
            {"id", proved.id.empty() ? "ok" : proved.id},
            {"reason", proved.reason},
            {"milliseconds", std::to_string(proved.took.count())}});
}

api::ProvedKey prove(const ca::CertificationAuthority& authority, const ca::CaKeys& keys) {
  api::ProvedKey proved{.ca = authority.name};
  const auto begin = std::chrono::steady_clock::now();
  try {
    hsm::prove_key(keys.key_for(authority), authority.key_uri);
  } catch (const Error& error) {
    proved.id = error.id();
    proved.reason = error.what() + (error.detail().empty() ? "" : ": " + error.detail());
  }
  proved.took =
      std::chrono::round<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  return proved;
}

}  // namespace

std::vector<api::ProvedKey> TokenTrial::run(const ca::Snapshot& snapshot) {
  const std::unique_lock running(running_, std::try_to_lock);
  if (!running.owns_lock()) {
    throw Error(ErrorCode::busy, "token.probing", "the token is being probed already");
  }
  if (!all_back()) {
    throw Error(ErrorCode::busy, "token.probing",
                "a token has not answered the last probe yet: it hangs");
  }
  hanging_.clear();
  const Clock::time_point end = Clock::now() + patience_.all;
  std::vector<api::ProvedKey> proved;
  for (const ca::CertificationAuthority* authority : snapshot.served_cas()) {
    proved.push_back(try_one(*authority, std::min(end, Clock::now() + patience_.each)));
    log_proved("token.proved", proved.back());
  }
  return proved;
}

Outcome TokenTrial::outcome_of(const std::vector<api::ProvedKey>& proved) {
  const auto failed =
      std::ranges::count_if(proved, [](const api::ProvedKey& key) { return !key.id.empty(); });
  if (failed == 0) {
    return {};
  }
  return {.id = "failed",
          .detail = "keys=" + std::to_string(proved.size()) + " failed=" + std::to_string(failed)};
}

/// In a thread of its own: nothing brings a call of a module back.
api::ProvedKey TokenTrial::try_one(const ca::CertificationAuthority& authority,
                                   Clock::time_point end) {
  const Clock::time_point begin = Clock::now();
  if (begin >= end) {
    return {.ca = authority.name,
            .id = "token.no_answer",
            .reason = "not tried: too many others did not answer"};
  }
  // Set by whoever comes first: the answer, or the end of waiting for it.
  const auto settled = std::make_shared<std::atomic<bool>>(false);
  auto proved = std::async(std::launch::async, [authority, &keys = keys_, settled] {
    api::ProvedKey one = prove(authority, keys);
    if (settled->exchange(true)) {
      log_proved("token.proved_late", one);
    }
    return one;
  });
  try {
    return answer_of(proved, end, "its signature is still being made");
  } catch (const Error& error) {
    if (!proved.valid()) {
      throw;  // the call's own
    }
    if (settled->exchange(true)) {
      return proved.get();  // in this moment
    }
    hanging_.push_back(std::move(proved));
    const auto waited = std::chrono::round<std::chrono::milliseconds>(Clock::now() - begin);
    return {.ca = authority.name,
            .id = error.id(),
            .reason = "no answer within " + std::to_string(waited.count()) + " ms: the token hangs",
            .took = waited};
  }
}

bool TokenTrial::idle() {
  const std::unique_lock running(running_, std::try_to_lock);
  return running.owns_lock() && all_back();
}

bool TokenTrial::all_back() const {
  return std::ranges::all_of(hanging_, [](const auto& call) { return is_back(call); });
}

}  // namespace estia::app
