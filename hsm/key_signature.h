// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <span>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"
#include "hsm/module.h"
#include "hsm/sign_mechanism.h"
#include "hsm/signing_key.h"

namespace estia::hsm {

constexpr std::size_t kLongestRawSignature = 1024;  ///< RSA-8192

/// Throws Error{config, "token.key_unsupported"} for a key without a spec.
[[nodiscard]] KeyKind kind_of(const crypto::PublicKey& key);

/// What one C_SignInit and one C_Sign came to.
struct SignOutcome {
  CK_RV rv = CKR_OK;
  const char* function = "";
  bool before_signing = false;  ///< nothing was signed yet: another try gives no second signature
  std::size_t size = 0;         ///< bytes in `out`; a module that lies may say more than there are
};
[[nodiscard]] SignOutcome sign_once(const Module& module, CK_SESSION_HANDLE session,
                                    CK_OBJECT_HANDLE key, SignMechanism& mechanism, ByteView input,
                                    std::span<std::uint8_t> out);

/// A token's signature as X.509, CMS and TLS carry it: its ECDSA is r and s side by side, theirs is
/// a SEQUENCE. Throws Error{token, "token.signature_malformed"} for one of another length than the
/// key's.
[[nodiscard]] Bytes encoded_signature(const crypto::PublicKey& key, ByteView raw);

/// Whether a signature, encoded, is one of that key over `input`, which is what C_Sign got with
/// that mechanism.
[[nodiscard]] bool verifies(const crypto::PublicKey& key, SignMechanism& mechanism, ByteView input,
                            ByteView signature);

}  // namespace estia::hsm
