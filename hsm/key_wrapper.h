// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/keys/key_spec.h"
#include "crypto/keys/public_key.h"
#include "crypto/keys/token_encryption.h"
#include "hsm/session_object.h"
#include "hsm/session_pair.h"
#include "hsm/wrap_mechanism.h"
#include "hsm/wrapping_key.h"

namespace estia::hsm {

/// What was found out when the wrapper was made.
struct KeyWrapperStatus {
  std::string mechanism;                 ///< by which keys leave the token; empty: none does
  std::string wrapping_key;              ///< where the AES key came from; empty without one
  bool ed25519 = false;                  ///< Ed25519 keys leave it, too
  std::string refused;                   ///< what did not work, and why; for people
  crypto::TokenEncryption encryption{};  ///< what encrypt_key() can be asked for
  std::size_t pairs_tried = 0;           ///< made to find all that out, and destroyed
  /// Nothing worked, and something failed that is no refusal for certain: it may work later.
  bool doubtful = false;
};

/// The way out of the token for private keys: an AES key that both sides know, and the mechanism
/// that was seen to give a key back. Immutable; any thread.
class KeyWrapper final {
 public:
  /// Makes the AES key, and tries every mechanism with throwaway pairs. A token that wraps nothing
  /// is no error: see status(). Throws Error{token} for one that is gone, Error{busy}.
  explicit KeyWrapper(std::shared_ptr<Attachment> attached);

  [[nodiscard]] const KeyWrapperStatus& status() const noexcept { return status_; }

  /// RSA counts as exportable where EC is: trying costs a prime search at each start. It is tried
  /// where the token makes no EC pairs.
  [[nodiscard]] bool can_export(const crypto::KeySpec& spec) const noexcept;

  /// The private key, unwrapped, as exact PKCS#8 (exported_key.h) and checked against `public_key`.
  /// Throws Error{conflict, "serverkeygen.unsupported"} where the token does not wrap this key,
  /// Error{token, "token.wrap_..."}, Error{busy, "secure_heap.full"}.
  [[nodiscard]] SecureBytes export_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_object,
                                       const crypto::PublicKey& public_key) const;

  /// A content key of the token's for one private key that is to leave it encrypted for
  /// `recipient`, and that content key, encrypted. Made before the key is there: whatever is wrong
  /// with a recipient is no fault of any pair. Throws Error{token}, Error{conflict,
  /// "serverkeygen.unsupported"} beyond status().encryption.
  class ContentKey final {
    friend class KeyWrapper;
    ContentKey(SessionObject object, Bytes encrypted, const WrapMechanism& mechanism)
        : object_(std::move(object)), encrypted_(std::move(encrypted)), mechanism_(mechanism) {}
    SessionObject object_;
    Bytes encrypted_;
    const WrapMechanism& mechanism_;
  };
  [[nodiscard]] ContentKey make_content_key(CK_SESSION_HANDLE session,
                                            const crypto::TokenRecipient& recipient) const;

  /// The pair's private key, encrypted under it by the token; the content key is destroyed. What
  /// the key is this process does not learn: that it is the public key's is told by CKA_ID, before
  /// and after. Throws as export_key, and Error{token, "token.wrap_mismatch"}.
  [[nodiscard]] crypto::TokenEncryptedKey encrypt_key(CK_SESSION_HANDLE session,
                                                      const SessionPair& pair,
                                                      const crypto::KeySpec& spec,
                                                      ContentKey& content_key) const;

 private:
  void probe();
  void probe_encryption();
  [[nodiscard]] const WrapMechanism* mechanism_of(crypto::TokenCipher cipher) const noexcept;
  [[nodiscard]] bool try_kind(const WrapMechanism& mechanism, const crypto::KeySpec& spec);
  [[nodiscard]] SecureBytes wrap_with(const WrapMechanism& mechanism, CK_SESSION_HANDLE session,
                                      CK_OBJECT_HANDLE private_object) const;
  void note(const std::string& what, const Error& error);

  const std::shared_ptr<Attachment> attached_;
  std::unique_ptr<const WrappingKey> key_;     // null: the token takes none
  const WrapMechanism* mechanism_ = nullptr;   // null: none works
  const WrapMechanism* cbc_ = nullptr;         // null: does not work, or was not tried
  std::optional<crypto::KeySpec> probe_kind_;  // what it was found out with
  KeyWrapperStatus status_;
};

/// Error{conflict, "serverkeygen.unsupported"}.
[[noreturn]] void refuse_export(const std::string& kind, const std::string& why);

}  // namespace estia::hsm
