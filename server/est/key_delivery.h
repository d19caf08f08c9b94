// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/cms/key_recipient.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/csr.h"
#include "server/ca/enrollment.h"
#include "server/ca/model.h"
#include "server/http/message.h"

namespace estia::est {

/// How a private key that was made here goes to its client (RFC 7030 4.4.2). Any thread.
class KeyDelivery final {
 public:
  /// Whose signature encrypted keys bear: who generated them (EST-4.4.2-c).
  struct Signer {
    crypto::PrivateKey key;
    crypto::Certificate certificate;
  };
  /// The clock outlives this object.
  KeyDelivery(Signer signer, const Clock& clock) : signer_(std::move(signer)), clock_(clock) {}

  /// Who is to be able to open the key, as the CSR asks (EST-4.4.1-c); nullopt: it goes as it is.
  /// To be called before a key is made: there is no falling back to a key that is not encrypted
  /// (EST-4.4.1-d). `chain` is the client's, leaf first. Throws Error{malformed, ...}:
  /// "serverkeygen.encryption_required" and "serverkeygen.encryption_off" where the alias does not
  /// give the other package, "serverkeygen.unknown_key" for a key that nobody here knows
  /// (EST-4.4.1.1-a, EST-4.4.1.2-a), what key_encryption_request and certificate_recipient throw.
  [[nodiscard]] std::optional<crypto::KeyRecipient> recipient(
      const ca::Alias& alias, const crypto::Csr& csr,
      const std::vector<crypto::Certificate>& chain) const;

  /// A key on its way out, as it is or encrypted: made before its certificate is issued, so that
  /// nothing but memory can fail afterwards.
  using Package = std::variant<SecureBytes, Bytes>;
  /// Throws what signed_key_package, enveloped_key and SecureBytes throw.
  [[nodiscard]] Package package(SecureBytes private_key,
                                const std::optional<crypto::KeyRecipient>& recipient) const;

  /// multipart/mixed with the key and the certificate (EST-4.4.2-a). Throws Error{busy,
  /// "secure_heap.full"}.
  [[nodiscard]] static http::Response response(const Package& package,
                                               const crypto::IssuedCertificate& certificate);

 private:
  const Signer signer_;
  const Clock& clock_;
};

}  // namespace estia::est
