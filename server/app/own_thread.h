// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "crypto/base/error.h"

namespace estia::app {

/// Calls it in a thread that nobody waits for unless they want to: a call to a token may never come
/// back (D15). The future may be dropped; what is called must own what it needs.
template <typename Call>
[[nodiscard]] std::future<std::invoke_result_t<Call>> in_own_thread(Call call) {
  std::packaged_task<std::invoke_result_t<Call>()> task(std::move(call));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  return result;
}

template <typename Result>
[[nodiscard]] bool is_back(const std::future<Result>& call) {
  return call.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

/// What the call to a token gave, or threw. Throws Error{token, "token.no_answer"} when it is not
/// back at `end`: then the future is as it was, and the call goes on. `detail` says what is waited
/// for.
template <typename Result>
Result answer_of(std::future<Result>& call, std::chrono::steady_clock::time_point end,
                 const std::string& detail) {
  if (call.wait_until(end) != std::future_status::ready) {
    throw Error(ErrorCode::token, "token.no_answer", "the token does not answer", detail);
  }
  return call.get();
}

}  // namespace estia::app
