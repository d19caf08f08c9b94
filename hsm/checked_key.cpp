// SPDX-License-Identifier: Apache-2.0
#include "hsm/checked_key.h"

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/key_signature.h"

namespace estia::hsm {

Bytes CheckedKey::sign(SignMechanism& mechanism, ByteView input) const {
  Bytes signature = signs_->sign(mechanism, input);
  if (!verifies(public_key(), mechanism, input, signature)) {
    const Error wrong = token_unavailable(
        "token.wrong_signature",
        "a signature is not one of its key, and was thrown away: " + key_->uri().text());
    key_->note_wrong(wrong);
    throw Error(wrong);
  }
  key_->note_right();
  return signature;
}

}  // namespace estia::hsm
