// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "server/auth/authenticate.h"

namespace estia::est {

/// What says nothing about the request, and is to be tried again.
[[nodiscard]] inline bool is_our_failure(const Error& error) {
  constexpr std::array kOurs{ErrorCode::store, ErrorCode::token, ErrorCode::busy,
                             ErrorCode::internal};
  return std::ranges::find(kOurs, error.code()) != kOurs.end();
}

/// What `decide` returns. A spent code is good for the repetition of its request and for no other
/// answer: whatever else is wrong would tell it from a wrong one, so all of it becomes the refusal
/// of a wrong one. `proven` is what decide() has learned when it throws.
template <class Decide>
auto telling_no_spent_code(auth::Authentication& authentication, const ca::Alias& alias,
                           const std::optional<ca::Identity>& proven, const std::string& address,
                           Decide&& decide) {
  try {
    return std::forward<Decide>(decide)();
  } catch (const Error& error) {
    const bool spent = proven && (proven->code_is_spent() || error.id() == "code.spent");
    if (!spent || is_our_failure(error)) {
      throw;
    }
    throw authentication.spent_code(alias, *proven, address, error);
  }
}

}  // namespace estia::est
