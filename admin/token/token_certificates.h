// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "admin/token/token_place.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/x509/certificate.h"

namespace estia::admin {

/// A certificate object (CKO_CERTIFICATE) of a token.
struct TokenCertificate {
  Bytes id{};  ///< CKA_ID: that of the key that it certifies
  std::string label{};
  crypto::Certificate certificate;
  bool key_in_token = false;  ///< a public key object of the token is the certificate's
};

/// What a certificate is to be called; empty: as its key in the token, or as derived from it.
struct WantedName {
  Bytes id{};
  std::string label{};
};

/// The X.509 certificates that the token shows without a login, or with the user's PIN if it is not
/// null: one attempt. Throws what Libp11Token throws.
[[nodiscard]] std::vector<TokenCertificate> list_certificates(const TokenPlace& place,
                                                              const Secret* pin);

/// Stores certificates, all of them or none, each with the CKA_ID and label of the token's key that
/// it certifies; one whose key is elsewhere gets its subject key identifier (RFC 5280 4.2.1.2) and
/// its common name. `name` is for a single certificate.
///
/// Refused before anything is stored: Error{conflict, "token.cert_exists"} for one that the token
/// has or that stands twice; Error{conflict, "token.cert_id"} for an id that is not the key's;
/// Error{conflict, "token.cert_key_ambiguous"} where the token has the key under several ids and
/// none was given. Error{token, "token.cert_store"} when the token does not take one. Throws what
/// Libp11Token throws. Returns them as they are in the token.
[[nodiscard]] std::vector<TokenCertificate> store_certificates(
    const TokenPlace& place, const Secret& pin,
    const std::vector<crypto::Certificate>& certificates, const WantedName& name);

}  // namespace estia::admin
