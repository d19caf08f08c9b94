// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/secret.h"
#include "server/ca/decrypt_keys.h"
#include "server/ca/model.h"

namespace estia::provision {

/// A decrypt key as the operator wants it registered.
struct DecryptKeyPlan {
  ca::DecryptKeyOwner owner{};
  ca::DecryptKeyKind kind = ca::DecryptKeyKind::secret;
  Bytes identifier{};         ///< of a secret; a certificate brings its own, a password has none
  Secret secret{};            ///< AES key of 16, 24 or 32 bytes, or the password
  std::string certificate{};  ///< PEM
};

/// Registers it; a secret or password is sealed before it is stored. Returns what was stored.
/// Throws Error{config, ...}: "config.reference" for an alias that is not,
/// "decrypt_key.identifier", "decrypt_key.secret", "decrypt_key.password",
/// "decrypt_key.certificate"; Error{not_found, "entity.unknown"}, Error{conflict,
/// "decrypt_key.exists"} and what SecretSealer::seal throws, one call of which is made at a time.
ca::DecryptKey add_decrypt_key(const DecryptKeyPlan& plan, const ca::Snapshot& snapshot,
                               ca::DecryptKeyStore& keys, ca::SecretSealer& sealer,
                               const Clock& clock, const std::string& who);

/// Throws Error{not_found, "decrypt_key.unknown"}.
void remove_decrypt_key(const ca::DecryptKeyName& name, ca::DecryptKeyStore& keys,
                        const Clock& clock, const std::string& who);

}  // namespace estia::provision
