// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/secure_bytes.h"
#include "crypto/keys/key_spec.h"
#include "crypto/keys/public_key.h"
#include "crypto/keys/token_encryption.h"
#include "server/ca/model.h"

namespace estia::ca {

/// A key pair that was made for an end entity, on its way there. It is kept nowhere else: who drops
/// it has destroyed it.
struct ServerKey {
  SecureBytes private_key;  ///< PrivateKeyInfo (RFC 5958, version 0), DER
  crypto::PublicKey public_key;
};

/// Likewise, encrypted inside the token: nobody here has had the private key.
struct EncryptedServerKey {
  crypto::TokenEncryptedKey key;
  crypto::PublicKey public_key;
};

/// Where the key pairs of serverkeygen are made (RFC 7030 4.4): a token, through hsm. Any thread.
class ServerKeys {
 public:
  virtual ~ServerKeys() = default;
  /// A new pair for each call. Throws Error{conflict, "serverkeygen.unsupported"} for a kind of
  /// key that the token does not give out wrapped, Error{busy, ...} when too many are being made,
  /// Error{token, ...}.
  [[nodiscard]] virtual ServerKey generate(const crypto::KeySpec& spec) = 0;
  /// Likewise; beyond encryption() it is "serverkeygen.unsupported".
  [[nodiscard]] virtual EncryptedServerKey generate_for(
      const crypto::KeySpec& spec, const crypto::TokenRecipient& recipient) = 0;
  /// What generate_for() can be asked for. Throws Error{token} while that is not known.
  [[nodiscard]] virtual crypto::TokenEncryption encryption() const = 0;
  /// Why it is no more, or why there are no keys at all; for the operator.
  [[nodiscard]] virtual std::string refused() const = 0;
};

/// The kind of key an alias makes for this request (EST-4.4.1-b): that of the CSR's key where the
/// profile allows it, else the profile's first where the alias has `serverkeygen_other_key`. Throws
/// Error{malformed, "key.not_in_profile"}.
[[nodiscard]] crypto::KeySpec server_key_spec(const Alias& alias, const CertificateProfile& profile,
                                              const crypto::PublicKey& hint);

/// Throws Error{config, "serverkeygen.hsm_wrapped"} for an alias that promises what cannot be done
/// here. One that promises it in `before` already may go on: what is wrong with the token must not
/// keep an operator from changing anything else.
void check_server_keys(const Snapshot& wanted, const Snapshot& before, const ServerKeys& keys);

/// A public key of that kind which passes the rules for keys, for a rehearsal of what is not made
/// yet. Of RSA it costs no search for primes: a random number stands for the modulus, and nobody
/// has its factors. One of each kind for the process. Never to be certified.
[[nodiscard]] crypto::PublicKey stand_in_key(const crypto::KeySpec& spec);

}  // namespace estia::ca
