// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/clock.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

/// A DER SignedData (not a ContentInfo) whose content is an AsymmetricKeyPackage of this one key
/// (EST-4.4.2-c and -d): version 3, id-ct-KP-aKeyPackage, signed attributes contentType,
/// signingTime and messageDigest, the signer's certificate. The signer is named by its
/// subjectKeyIdentifier, or by issuer and serial number where its certificate has none. What goes
/// to the signer's token is a digest. `pkcs8` is the DER of a PrivateKeyInfo (OneAsymmetricKey v1).
///
/// The package is written once, into the secure heap. OpenSSL's CMS_sign would keep the content in
/// ordinary memory and not wipe it.
///
/// Throws Error{internal, "key_package.key"} for what is no PrivateKeyInfo, Error{internal,
/// "key_package.signer"} where certificate and key do not belong together, what
/// PrivateKey::sign throws, and what SecureBytes throws. Any thread.
[[nodiscard]] SecureBytes signed_key_package(const SecureBytes& pkcs8, const PrivateKey& signer,
                                             const Certificate& certificate, Instant now);

}  // namespace estia::crypto
