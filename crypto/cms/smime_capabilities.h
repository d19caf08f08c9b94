// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/cms/key_algorithms.h"

namespace estia::crypto {

/// An ECDH scheme together with the key wrap that it is used with.
struct KeyAgreement {
  KeyAgreementScheme scheme;
  KeyWrap wrap;
  bool operator==(const KeyAgreement&) const noexcept = default;
};

/// What a client can decrypt (SMIMECapabilities, RFC 8551 2.5.2): of each kind what we know too, in
/// the client's order, its preference.
struct SmimeCapabilities {
  std::vector<KeyWrap> key_wraps{};
  std::vector<KeyTransport> key_transports{};
  bool oaep_sha1 = false;  ///< RSAES-OAEP with SHA-1 and that written out; for tokens alone
  std::vector<KeyAgreement> key_agreements{};
  std::vector<ContentCipher> content_ciphers{};
  bool other_content_ciphers = false;  ///< it lists some that are not used here
};

/// Strict DER, at most 4 KiB and 64 capabilities, at least one. A capability that is not known, or
/// has parameters other than those that EST-4.4.1-e names, is ignored: it may be anything a mail
/// client can do. RSAES-OAEP without parameters means SHA-256. Throws Error{malformed,
/// "smime_capabilities.malformed"}.
[[nodiscard]] SmimeCapabilities parse_smime_capabilities(ByteView der);

}  // namespace estia::crypto
