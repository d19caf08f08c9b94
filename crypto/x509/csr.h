// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"
#include "crypto/x509/extension.h"
#include "crypto/x509/name.h"

namespace estia::crypto {

/// An attribute we do not interpret here: its OID and the DER of each value.
struct CsrAttribute {
  std::string oid;
  std::vector<Bytes> values;
};

/// A parsed PKCS #10 request (RFC 2986). What it asks for is a wish: profiles decide. Immutable,
/// any thread.
class Csr final {
 public:
  /// Strict DER: trailing bytes, indefinite lengths, depth over 32, over 64 KiB, duplicate
  /// attributes, duplicate extension OIDs, extensionRequest or ChangeSubjectName with other than
  /// one value, a challengePassword or estIdentityLinking with other than one value or over 255
  /// bytes: Error{malformed, "csr.malformed"}. Limits are checked before OpenSSL sees the bytes
  /// (EST-6-d; CVE-2023-2650: OIDs of at most 64 bytes). Does not verify the signature.
  [[nodiscard]] static Csr parse(ByteView der);

  /// Proof of possession (EST-4.2.1-b). Throws what PublicKey::check_affordable throws, Error{malformed, "csr.signature_invalid"}, or
  /// "csr.signature_algorithm" for MD5, SHA-1 and anything not listed (EST-6-h).
  void verify_signature() const;

  [[nodiscard]] const Bytes& der() const noexcept { return der_; }
  [[nodiscard]] const Name& subject() const noexcept { return subject_; }
  [[nodiscard]] const PublicKey& public_key() const noexcept { return key_; }
  [[nodiscard]] const std::vector<Extension>& requested_extensions() const noexcept {
    return extensions_;
  }
  [[nodiscard]] const GeneralNames& subject_alt_names() const noexcept {
    return san_;
  }  ///< empty when not asked for
  /// challengePassword (EST-3.5-e) and estIdentityLinking (CHAL-3.1-a) as UTF-8 text, trailing
  /// white space and NUL removed.
  [[nodiscard]] const std::optional<std::string>& challenge_password() const noexcept {
    return challenge_;
  }
  [[nodiscard]] const std::optional<std::string>& est_identity_linking() const noexcept {
    return linking_;
  }
  /// The one value of ChangeSubjectName (CSN-7.1-e), as it stands: crypto/est reads it.
  [[nodiscard]] const std::optional<Bytes>& change_subject_name() const noexcept {
    return change_subject_name_;
  }
  [[nodiscard]] const std::vector<CsrAttribute>& attributes() const noexcept { return attributes_; }

 private:
  Csr(Bytes der, Name subject, PublicKey key);
  Bytes der_;
  Name subject_;
  PublicKey key_;
  std::vector<Extension> extensions_;
  GeneralNames san_;
  std::optional<std::string> challenge_;
  std::optional<std::string> linking_;
  std::optional<Bytes> change_subject_name_;
  std::vector<CsrAttribute> attributes_;
};

}  // namespace estia::crypto
