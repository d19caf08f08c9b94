// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/key_algorithms.h"

#include "crypto/base/der.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kOaep = "1.2.840.113549.1.1.7";
constexpr std::string_view kMgf1 = "1.2.840.113549.1.1.8";

}  // namespace

const std::vector<KeyWrap>& known_key_wraps() {
  static const std::vector<KeyWrap> table = {
      {"2.16.840.1.101.3.4.1.5", "AES-128-WRAP", 128},
      {"2.16.840.1.101.3.4.1.25", "AES-192-WRAP", 192},
      {"2.16.840.1.101.3.4.1.45", "AES-256-WRAP", 256},
      {"2.16.840.1.101.3.4.1.8", "AES-128-WRAP-PAD", 128},
      {"2.16.840.1.101.3.4.1.28", "AES-192-WRAP-PAD", 192},
      {"2.16.840.1.101.3.4.1.48", "AES-256-WRAP-PAD", 256},
  };
  return table;
}

const std::vector<KeyTransport>& known_key_transports() {
  static const std::vector<KeyTransport> table = {
      {kOaep, "SHA2-256", "2.16.840.1.101.3.4.2.1"},
      {kOaep, "SHA2-384", "2.16.840.1.101.3.4.2.2"},
      {kOaep, "SHA2-512", "2.16.840.1.101.3.4.2.3"},
      {"1.2.840.113549.1.1.1", "", ""},
  };
  return table;
}

const std::vector<KeyAgreementScheme>& known_key_agreement_schemes() {
  static const std::vector<KeyAgreementScheme> table = {
      {"1.3.132.1.11.1", "SHA2-256"},
      {"1.3.132.1.11.2", "SHA2-384"},
      {"1.3.132.1.11.3", "SHA2-512"},
  };
  return table;
}

const std::vector<ContentCipher>& known_content_ciphers() {
  static const std::vector<ContentCipher> table = {
      {"2.16.840.1.101.3.4.1.2", "AES-128-CBC", 128},
      {"2.16.840.1.101.3.4.1.22", "AES-192-CBC", 192},
      {"2.16.840.1.101.3.4.1.42", "AES-256-CBC", 256},
  };
  return table;
}

Bytes algorithm_identifier(const KeyWrap& wrap) {
  return der::sequence({der::oid(wrap.oid)});
}

Bytes oaep_parameters(ByteView digest) {
  // hashFunc [0], maskGenFunc [1]; pSourceFunc [2] is its default, the empty label.
  const Bytes mask = der::sequence({der::oid(kMgf1), digest});
  return der::sequence({der::tlv(0xA0, digest), der::tlv(0xA1, mask)});
}

Bytes algorithm_identifier(const KeyTransport& transport) {
  if (transport.digest.empty()) {
    return der::sequence({der::oid(transport.oid), der::null()});
  }
  const Bytes digest = der::sequence({der::oid(transport.digest_oid), der::null()});
  return der::sequence({der::oid(transport.oid), oaep_parameters(digest)});
}

}  // namespace estia::crypto
