// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/cms/key_recipient.h"
#include "crypto/cms/pkcs12.h"
#include "crypto/cms/token_envelope.h"
#include "crypto/est/key_encryption_request.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/certificate_builder.h"
#include "crypto/x509/csr.h"
#include "server/ca/decrypt_keys.h"
#include "server/ca/enrollment.h"
#include "server/ca/model.h"
#include "server/http/message.h"

namespace estia::est {

/// How the private key of serverkeygen leaves (RFC 7030 4.4.2, RFC 8295): as the alias allows it
/// and the client asks, never less protected than asked for. Any thread.
class KeyDelivery final {
 public:
  /// Signs what is inside an encrypted package: the client has just verified this certificate.
  struct Signer {
    crypto::PrivateKey key;
    crypto::Certificate certificate;
  };
  /// `keys`, `sealer` and the clock outlive this object.
  KeyDelivery(Signer signer, const ca::DecryptKeyStore& keys, ca::SecretSealer& sealer,
              const Clock& clock)
      : signer_(std::make_shared<const Signer>(std::move(signer))),
        keys_(keys),
        sealer_(sealer),
        clock_(clock) {}

  /// Another TLS identity is in force.
  void replace_signer(Signer signer);

  class Order;
  /// What a request brings besides its CSR.
  struct Asking {
    const std::vector<crypto::Certificate>& chain;  ///< of TLS, leaf first
    std::optional<std::string> accept{};            ///< the field's value
    std::function<bool()> client_gone{};            ///< http::Request::client_gone
    std::vector<Secret> credentials{};  ///< passwords and codes that it authenticates with
  };
  /// What one request asks for; alias and chain outlive the order. Throws Error{malformed} with
  /// "serverkeygen.pkcs12_off", "serverkeygen.pkcs12_encrypted",
  /// "serverkeygen.encryption_required", "serverkeygen.encryption_off", and what
  /// key_encryption_request throws.
  [[nodiscard]] Order order(const ca::Alias& alias, const crypto::Csr& csr, Asking asking) const;

 private:
  [[nodiscard]] std::shared_ptr<const Signer> signer() const;

  mutable std::mutex mutex_;  ///< guards signer_
  std::shared_ptr<const Signer> signer_;
  const ca::DecryptKeyStore& keys_;
  ca::SecretSealer& sealer_;
  const Clock& clock_;
};

/// One thread.
class KeyDelivery::Order final : public ca::KeyTaker {
 public:
  /// Finds the key to encrypt for, or the password: everything that can be refused is. Throws
  /// Error{malformed, "serverkeygen.unknown_key" | "serverkeygen.no_password" |
  /// "serverkeygen.password_is_credential" | "serverkeygen.hsm_wrapped_kind"} and what
  /// certificate_recipient, secret_key_recipient, token_recipient and SecretSealer::open throw
  /// (EST-4.4.1-d); Error{conflict, "serverkeygen.unsupported" | "serverkeygen.client_gone"}.
  void prepare(const std::string& username, const ca::ServerKeys& keys) override;

  /// Packs the key, all but what its certificate is needed for: afterwards nothing but memory can
  /// fail. Throws Error{conflict, "serverkeygen.client_gone"}: a certificate whose key nobody gets
  /// would only be there to be revoked; and what ServerKeys, signed_key_package, enveloped_key,
  /// shroud_key and SecureBytes throw.
  [[nodiscard]] crypto::PublicKey take(ca::ServerKeys& keys, const crypto::KeySpec& spec) override;

  /// The answer: multipart/mixed with the key and the certificate (EST-4.4.2-a), or
  /// application/pkcs12. Throws Error{busy, "secure_heap.full"}.
  [[nodiscard]] http::Response response(const crypto::IssuedCertificate& certificate);

  /// "pkcs8", "pkcs12", or "cms" or "hsm-wrapped" with who can open it; for people, once it is
  /// prepared.
  [[nodiscard]] std::string text() const;

 private:
  friend class KeyDelivery;
  struct Plain {};  ///< PKCS #8, under TLS alone
  struct Encrypted {
    crypto::KeyEncryptionRequest wish;
    std::optional<crypto::KeyRecipient> recipient{};  ///< once prepared
  };
  struct TokenEncrypted {  ///< in the token
    crypto::KeyEncryptionRequest wish;
    std::optional<crypto::TokenRecipient> recipient{};  ///< once prepared
  };
  struct Pkcs12 {
    Secret password{};  ///< once prepared
  };
  using Form = std::variant<Plain, Encrypted, TokenEncrypted, Pkcs12>;

  Order(const KeyDelivery& delivery, const ca::Alias& alias, Asking asking, Form form)
      : delivery_(delivery), alias_(alias), asking_(std::move(asking)), form_(std::move(form)) {}

  void require_client() const;
  [[nodiscard]] crypto::KeyRecipient recipient(const crypto::KeyEncryptionRequest& wish,
                                               const std::string& username) const;
  [[nodiscard]] crypto::TokenRecipient token_recipient(const crypto::KeyEncryptionRequest& wish,
                                                       const std::string& username,
                                                       const ca::ServerKeys& keys) const;
  void pack(SecureBytes private_key);
  [[nodiscard]] std::optional<crypto::Certificate> certificate_of(
      const Bytes& identifier, const std::string& username) const;
  [[nodiscard]] std::optional<Secret> secret_of(ca::DecryptKeyKind kind, const Bytes& identifier,
                                                const std::string& username) const;

  const KeyDelivery& delivery_;
  const ca::Alias& alias_;
  Asking asking_;
  Form form_;
  std::variant<SecureBytes, Bytes, crypto::ShroudedKey> packed_;  ///< by form
};

}  // namespace estia::est
