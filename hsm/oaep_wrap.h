// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <array>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"
#include "hsm/module.h"

namespace estia::hsm {

/// Digests of RSAES-OAEP, one for label and mask, by OpenSSL's names; the one to be preferred
/// first. SHA-1 is the one that SoftHSM has; nothing in OAEP rests on the collisions that it has.
inline constexpr std::array<std::string_view, 4> kOaepDigests{"SHA2-256", "SHA2-384", "SHA2-512",
                                                              "SHA1"};

/// The secret key `object`, which must be extractable, encrypted by the token for `recipient`, an
/// RSA key, by RSAES-OAEP with an empty label. The token gets the RSA key for as long as that takes
/// (a session object). Throws Error{token}, also for a digest that is none of kOaepDigests. One
/// thread per session.
[[nodiscard]] Bytes oaep_wrap(const Module& module, CK_SESSION_HANDLE session,
                              CK_OBJECT_HANDLE object, const crypto::PublicKey& recipient,
                              std::string_view digest);

}  // namespace estia::hsm
