// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "crypto/openssl/owned.h"

namespace estia::hsm {

class SigningKey;

/// An EVP_PKEY of crypto::library() whose private operations run in the token, through an OpenSSL
/// provider inside this process (D2). With it X509_sign, X509_CRL_sign, OCSP_basic_sign, CMS_sign
/// (not Ed25519: OpenSSL has no default digest for it there) and a TLS server key work as with any
/// key: ECDSA, RSA (PKCS #1 v1.5 and PSS) with SHA-2, Ed25519. It signs only: it cannot verify
/// (use the public half), decrypt or derive, and the private key can not be exported.
///
/// The provider answers only to the property "provider=estia-hsm"; software keys and peers' public
/// keys stay with OpenSSL's own. Errors of the token reach the caller by
/// crypto::leave_pending_error. Throws Error{internal} if OpenSSL refuses. Any thread.
[[nodiscard]] crypto::EvpPkeyPtr make_provider_key(const std::shared_ptr<const SigningKey>& key);

}  // namespace estia::hsm
