// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include "crypto/keys/key_spec.h"
#include "hsm/objects.h"

namespace estia::hsm {

/// The mechanism that makes key pairs of that kind.
[[nodiscard]] CK_MECHANISM_TYPE generation_mechanism(const crypto::KeySpec& spec);

/// What a public key's template says about the kind: curve, or length and exponent.
void add_kind(Template& wanted, const crypto::KeySpec& spec);

/// The two halves of a pair made for somebody else (session_pair.h).
[[nodiscard]] Template exportable_public(const crypto::KeySpec& spec, ByteView id);
[[nodiscard]] Template exportable_private(ByteView id);

}  // namespace estia::hsm
