// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/secure_bytes.h"

namespace estia::est {

/// How the key goes out; each has its media type.
enum class KeyForm {
  pkcs8,      ///< a PrivateKeyInfo in the clear (EST-4.4.2-b)
  encrypted,  ///< CMS EnvelopedData (EST-4.4.2-c)
};

/// The answer of serverkeygen: what goes into Content-Type, and the body.
struct KeyResponse {
  std::string content_type;
  SecureBytes secret_body;  ///< with a private key in the clear
  std::string body;         ///< else
};

/// multipart/mixed with two parts and nothing around them: the key, then the certificate as
/// simpleenroll would send it (EST-4.4.2-a, -h). Each part has Content-Type and
/// Content-Transfer-Encoding, spelt so, since clients compare them with case, and its base64 in one
/// line. A PKCS #8 is encoded straight into the secure heap. `certs_only` is the DER of a
/// certs-only CMS message. Throws what SecureBytes throws. Any thread.
[[nodiscard]] KeyResponse key_response(KeyForm form, ByteView key, ByteView certs_only);

}  // namespace estia::est
