// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/token_envelope.h"

#include <algorithm>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/cms/enveloped_data.h"
#include "crypto/cms/key_algorithms.h"
#include "crypto/cms/key_recipient.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kData = "1.2.840.113549.1.7.1";
constexpr std::string_view kAes256Cbc = "2.16.840.1.101.3.4.1.42";
constexpr std::string_view kAes256WrapPad = "2.16.840.1.101.3.4.1.48";
constexpr std::string_view kSha1 = "SHA1";

template <class Row>
bool lists(const std::vector<Row>& rows, std::string_view oid) {
  return std::ranges::find(rows, oid, &Row::oid) != rows.end();
}

std::string digest_of(const SmimeCapabilities& capabilities, const TokenEncryption& able) {
  const auto has = [&](std::string_view digest) {
    return std::ranges::find(able.oaep_digests, digest) != able.oaep_digests.end();
  };
  for (const KeyTransport& transport : capabilities.key_transports) {
    if (!transport.digest.empty() && has(transport.digest)) {
      return std::string(transport.digest);
    }
  }
  if (!capabilities.oaep_sha1 || !has(kSha1)) {
    refuse_capabilities("no RSAES-OAEP with a digest that the token has");
  }
  return std::string(kSha1);
}

/// Who lists nothing that could encrypt content can do AES-CBC, as with keys that are encrypted
/// here.
bool takes(TokenCipher cipher, const SmimeCapabilities& capabilities) {
  const bool wraps = lists(capabilities.key_wraps, kAes256WrapPad);
  if (cipher == TokenCipher::aes256_wrap_pad) {
    return wraps;
  }
  const bool lists_none =
      capabilities.content_ciphers.empty() && !capabilities.other_content_ciphers && !wraps;
  return lists_none || lists(capabilities.content_ciphers, kAes256Cbc);
}

Bytes content_algorithm(TokenCipher cipher, const Bytes& iv) {
  return cipher == TokenCipher::aes256_cbc
             ? der::sequence({der::oid(kAes256Cbc), der::octet_string(iv)})
             : der::sequence({der::oid(kAes256WrapPad)});  // RFC 5649 6: no parameters
}

Bytes transport_algorithm(const std::string& digest) {
  const auto& known = known_key_transports();
  const auto found = std::ranges::find(known, digest, &KeyTransport::digest);
  // SHA-1 and its mask are the defaults, which DER leaves out (RFC 4055 4.1).
  return found != known.end()
             ? algorithm_identifier(*found)
             : der::sequence({der::oid(known_key_transports().front().oid), der::sequence({})});
}

}  // namespace

TokenRecipient token_recipient(const Bytes& identifier, const Certificate& certificate,
                               const SmimeCapabilities& capabilities, const TokenEncryption& able) {
  require_identifier(certificate, identifier);
  const PublicKey& key = certificate.public_key();
  if (::EVP_PKEY_is_a(key.evp(), "RSA") != 1) {
    throw Error(ErrorCode::malformed, "serverkeygen.hsm_wrapped_kind",
                "keys are encrypted for RSA certificates only");
  }
  check_recipient(certificate);
  const auto cipher =
      std::ranges::find_if(able.ciphers, [&](TokenCipher one) { return takes(one, capabilities); });
  if (cipher == able.ciphers.end()) {
    refuse_capabilities("no content cipher that the token has");
  }
  return {.key = key, .oaep_digest = digest_of(capabilities, able), .cipher = *cipher};
}

Bytes token_envelope(const Bytes& identifier, const TokenRecipient& recipient,
                     const TokenEncryptedKey& key) {
  const Bytes info = transport_recipient_info(
      identifier, transport_algorithm(recipient.oaep_digest), key.content_key);
  return enveloped_data(info, kData, content_algorithm(recipient.cipher, key.iv), key.content);
}

}  // namespace estia::crypto
