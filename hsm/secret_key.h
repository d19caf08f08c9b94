// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include "hsm/module.h"
#include "hsm/objects.h"
#include "hsm/session_object.h"

namespace estia::hsm {

inline constexpr CK_ULONG kWrappingSecretSize = 32;

/// An AES key of kWrappingSecretSize, sensitive, in a session: it wraps, and does nothing else.
/// Without CKA_EXTRACTABLE, and without CKA_VALUE or CKA_VALUE_LEN.
[[nodiscard]] Template wrapping_secret();

/// Makes one in the token, extractable. Throws Error{token}.
[[nodiscard]] SessionObject make_wrapping_secret(const Module& module, CK_SESSION_HANDLE session);

}  // namespace estia::hsm
