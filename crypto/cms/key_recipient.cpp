// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/key_recipient.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/openssl/key_number.h"
#include "crypto/x509/extension_values.h"

namespace estia::crypto {
namespace {

unsigned bits_of(const ContentCipher& cipher) {
  return cipher.bits;
}

unsigned bits_of(const KeyAgreement& agreement) {
  return agreement.wrap.bits;
}

/// `rows` is not empty.
template <class Row>
const Row& first_as_strong(const std::vector<Row>& rows, unsigned strength) {
  const auto found =
      std::ranges::find_if(rows, [&](const Row& row) { return bits_of(row) >= strength; });
  return found != rows.end()
             ? *found
             : *std::ranges::max_element(rows, {}, [](const Row& row) { return bits_of(row); });
}

ContentCipher content_cipher(const SmimeCapabilities& capabilities, unsigned strength) {
  const auto& listed = capabilities.content_ciphers;
  if (listed.empty() && capabilities.other_content_ciphers) {
    refuse_capabilities("content ciphers, and no AES-CBC among them");
  }
  return first_as_strong(listed.empty() ? known_content_ciphers() : listed, strength);
}

KeyRecipient::Transport transport(const PublicKey& key, const SmimeCapabilities& capabilities) {
  const auto& listed = capabilities.key_transports;
  const auto found = std::ranges::find_if(
      listed, [](const KeyTransport& algorithm) { return !algorithm.digest.empty(); });
  if (found == listed.end()) {
    refuse_capabilities(listed.empty() ? "no RSAES-OAEP with SHA-256, 384 or 512"
                                       : "rsaEncryption alone, which is not used");
  }
  return {key, *found};
}

KeyRecipient::Agreement agreement(const PublicKey& key, const SmimeCapabilities& capabilities,
                                  unsigned strength) {
  if (capabilities.key_agreements.empty()) {
    refuse_capabilities("no dhSinglePass-stdDH with SHA-256, 384 or 512 and an AES key wrap");
  }
  return {key, first_as_strong(capabilities.key_agreements, strength)};
}

bool contains(const KeyUsageNames& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// EST-4.4.1.2-a. With encipherOnly the key can only be used while enciphering (RFC 5280 4.2.1.3).
void check_key_usage(const Certificate& certificate, bool transports) {
  const Extension* const extension = certificate.find_extension(oid::kKeyUsage);
  if (extension == nullptr) {
    return;
  }
  const KeyUsageNames names = key_usage_names(extension->value);
  const bool allowed = transports
                           ? contains(names, "keyEncipherment")
                           : contains(names, "keyAgreement") && !contains(names, "encipherOnly");
  if (!allowed) {
    throw Error(ErrorCode::malformed, "serverkeygen.key_usage",
                std::string("the certificate's key is not for ") +
                    (transports ? "key encipherment" : "key agreement"));
  }
}

bool is_rsa(const PublicKey& key) {
  return ::EVP_PKEY_is_a(key.evp(), "RSA") == 1;
}

}  // namespace

void refuse_capabilities(const std::string& why) {
  throw Error(ErrorCode::malformed, "serverkeygen.no_common_algorithm",
              "none of the client's SMIMECapabilities can be used with its key", why);
}

void require_identifier(const Certificate& certificate, const Bytes& identifier) {
  if (identifier.empty() || certificate.subject_key_identifier() != identifier) {
    throw Error(ErrorCode::malformed, "serverkeygen.unknown_key",
                "no key is known by the identifier in the request");
  }
}

void check_recipient(const Certificate& certificate) {
  const PublicKey& key = certificate.public_key();
  key.check_strength();
  if (!is_rsa(key) && ::EVP_PKEY_is_a(key.evp(), "EC") != 1) {
    throw Error(ErrorCode::malformed, "serverkeygen.no_common_algorithm",
                "nothing can be encrypted for a key of this kind");
  }
  // OpenSSL takes no longer one for large moduli, and nobody makes one.
  constexpr int kMostExponentBits = 64;
  if (is_rsa(key) &&
      BN_num_bits(key_number(key.evp(), OSSL_PKEY_PARAM_RSA_E).get()) > kMostExponentBits) {
    throw Error(ErrorCode::malformed, "serverkeygen.no_common_algorithm",
                "nothing can be encrypted for an RSA key with such an exponent");
  }
  check_key_usage(certificate, is_rsa(key));
}

KeyRecipient secret_key_recipient(Bytes identifier, Secret key,
                                  const SmimeCapabilities& capabilities) {
  const auto bits = static_cast<unsigned>(key.size() * 8);
  if (bits != 128 && bits != 192 && bits != 256) {
    throw Error(ErrorCode::config, "serverkeygen.secret_key",
                "a secret key to encrypt keys with has 16, 24 or 32 bytes");
  }
  const auto& listed = capabilities.key_wraps;
  const auto found =
      std::ranges::find_if(listed, [&](const KeyWrap& wrap) { return wrap.bits == bits; });
  if (found == listed.end()) {
    refuse_capabilities("no AES key wrap with a key of " + std::to_string(bits) + " bits");
  }
  return {std::move(identifier), content_cipher(capabilities, bits),
          KeyRecipient::SecretKey{std::move(key), *found}};
}

KeyRecipient certificate_recipient(Bytes identifier, const Certificate& certificate,
                                   const SmimeCapabilities& capabilities) {
  require_identifier(certificate, identifier);
  check_recipient(certificate);
  const PublicKey& key = certificate.public_key();
  const auto strength = static_cast<unsigned>(::EVP_PKEY_get_security_bits(key.evp()));
  const ContentCipher cipher = content_cipher(capabilities, strength);
  if (is_rsa(key)) {
    return {std::move(identifier), cipher, transport(key, capabilities)};
  }
  return {std::move(identifier), cipher, agreement(key, capabilities, strength)};
}

}  // namespace estia::crypto
