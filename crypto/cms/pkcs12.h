// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

/// A DER PFX (RFC 7292) with one key and its certificate, bound by a localKeyID: the key as
/// pkcs8ShroudedKeyBag by PBES2 (PBKDF2 with HMAC-SHA-256, AES-256-CBC; RFC 8018), the certificate
/// in the clear, a MAC with SHA-256 over both. 100 000 iterations each. `pkcs8` is the DER of a
/// PrivateKeyInfo, `password` UTF-8 text; what is derived from it stays in the secure heap. Throws
/// Error{internal, "pkcs12.password"} for an empty password, Error{internal, "openssl.failed"} and
/// what SecureBytes throws. Any thread.
[[nodiscard]] Bytes pkcs12(const SecureBytes& pkcs8, const Certificate& certificate,
                           const Secret& password);

}  // namespace estia::crypto
