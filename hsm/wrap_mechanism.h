// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/secure_bytes.h"
#include "hsm/module.h"

namespace estia::hsm {

/// How a wrapped key is to be read. PKCS #11 left open what CKM_AES_KEY_WRAP_PAD is, and modules
/// differ; only trying tells.
enum class WrapReading {
  rfc5649,        ///< AES key wrap with padding (KWP)
  rfc3394_pkcs7,  ///< AES key wrap over PKCS #7 padding
  cbc_pkcs7,      ///< AES-CBC over PKCS #7 padding: no integrity of its own
};

/// A way in which a token may hand out a private key, wrapped by an AES-256 key.
struct WrapMechanism {
  CK_MECHANISM_TYPE type;
  WrapReading reading;
  const char* name;  ///< for people

  /// All that are tried, the best first.
  [[nodiscard]] static std::span<const WrapMechanism> known() noexcept;
};

/// Bytes of the initialisation vector that CKM_AES_CBC_PAD takes.
inline constexpr std::size_t kWrapIvSize = 16;

struct WrappedKey {
  Bytes iv;  ///< of cbc_pkcs7; else empty
  Bytes content;
};

/// The private key `object`, wrapped by the token under its AES key `wrapping_key`. Throws
/// Error{token}.
[[nodiscard]] WrappedKey wrap(const WrapMechanism& mechanism, const Module& module,
                              CK_SESSION_HANDLE session, CK_OBJECT_HANDLE wrapping_key,
                              CK_OBJECT_HANDLE object);

/// What `wrapped` holds, in the secure heap; with whatever padding the token put below its own
/// (exported_key.h). `iv` is used by cbc_pkcs7 only. Throws Error{token, "token.wrap_failed"} if it
/// was not wrapped so by this key.
[[nodiscard]] SecureBytes unwrap(WrapReading reading, ByteView key, ByteView iv, ByteView wrapped);

}  // namespace estia::hsm
