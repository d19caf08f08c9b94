// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/base/secure_bytes.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

/// A key on its way into a PFX: all that takes time or needs the secure heap is done, before its
/// certificate is known.
struct ShroudedKey {
  Bytes bag_value;  ///< EncryptedPrivateKeyInfo, DER
  Bytes mac_salt;
  SecureBytes mac_key;
};

/// By PBES2 (PBKDF2 with HMAC-SHA-256, AES-256-CBC; RFC 8018), and the key of the MAC, 100 000
/// iterations each. `pkcs8` is the DER of a PrivateKeyInfo, `password` UTF-8 text; what is derived
/// from it stays in the secure heap. Throws Error{internal, "pkcs12.password"} for an empty
/// password, Error{internal, "openssl.failed"} and what SecureBytes throws. Any thread.
[[nodiscard]] ShroudedKey shroud_key(const SecureBytes& pkcs8, const Secret& password);

/// A DER PFX (RFC 7292) with one key and its certificate, bound by a localKeyID: the key as
/// pkcs8ShroudedKeyBag, the certificate in the clear, a MAC with SHA-256 over both. Throws
/// Error{internal, "openssl.failed"}. Any thread.
[[nodiscard]] Bytes pkcs12(const ShroudedKey& key, const Certificate& certificate);

}  // namespace estia::crypto
