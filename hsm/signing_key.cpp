// SPDX-License-Identifier: Apache-2.0
#include "hsm/signing_key.h"

#include <string>

#include "hsm/ckr.h"

namespace estia::hsm {

Error refusal_to_sign(const Error& error) {
  if (error.code() == ErrorCode::token || error.code() == ErrorCode::busy) {
    return error;
  }
  return token_unavailable(error.id(), std::string(error.what()) +
                                           (error.detail().empty() ? "" : ": " + error.detail()));
}

}  // namespace estia::hsm
