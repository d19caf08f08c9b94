// SPDX-License-Identifier: Apache-2.0
#include "crypto/est/key_encryption_request.h"

#include <algorithm>

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kDecryptKeyId = "1.2.840.113549.1.9.16.2.37";
constexpr std::string_view kAsymmetricDecryptKeyId = "1.2.840.113549.1.9.16.2.54";
constexpr std::string_view kSmimeCapabilities = "1.2.840.113549.1.9.15";
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::size_t kMaxIdentifier = 255;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "serverkeygen.attribute_malformed",
              "an attribute that asks for an encrypted key is malformed", why);
}

/// Csr::parse refuses an attribute that stands twice.
const CsrAttribute* find(const Csr& csr, std::string_view oid) {
  const auto found = std::ranges::find(csr.attributes(), oid, &CsrAttribute::oid);
  return found == csr.attributes().end() ? nullptr : &*found;
}

const Bytes& only_value(const CsrAttribute& attribute) {
  if (attribute.values.size() != 1) {
    refuse("attribute " + attribute.oid + " needs exactly one value");
  }
  return attribute.values.front();
}

SmimeCapabilities capabilities_of(const Csr& csr) {
  const CsrAttribute* const attribute = find(csr, kSmimeCapabilities);
  if (attribute == nullptr) {
    throw Error(ErrorCode::malformed, "serverkeygen.capabilities_missing",
                "a key identifier needs SMIMECapabilities beside it");
  }
  try {
    return parse_smime_capabilities(only_value(*attribute));
  } catch (const Error& error) {
    if (error.id() != "smime_capabilities.malformed") {
      throw;
    }
    refuse("SMIMECapabilities: " + error.detail());
  }
}

}  // namespace

Bytes parse_decrypt_key_identifier(ByteView der) {
  try {
    der::check_structure(der);
  } catch (const Error& error) {
    refuse("key identifier: " + error.detail());
  }
  const der::Element element = der::read(der);
  if (element.tag != kOctetString || element.value.empty() ||
      element.value.size() > kMaxIdentifier) {
    refuse("a key identifier is an OCTET STRING of 1 to 255 bytes");
  }
  return {element.value.begin(), element.value.end()};
}

std::optional<KeyEncryptionRequest> key_encryption_request(const Csr& csr) {
  const CsrAttribute* const secret = find(csr, kDecryptKeyId);
  const CsrAttribute* const asymmetric = find(csr, kAsymmetricDecryptKeyId);
  if (secret == nullptr && asymmetric == nullptr) {
    return std::nullopt;
  }
  if (secret != nullptr && asymmetric != nullptr) {
    throw Error(ErrorCode::malformed, "serverkeygen.two_identifiers",
                "the request names both a secret and an asymmetric key to encrypt with");
  }
  using Key = KeyEncryptionRequest::Key;
  const CsrAttribute& identifier = secret != nullptr ? *secret : *asymmetric;
  return KeyEncryptionRequest{.key = secret != nullptr ? Key::secret : Key::asymmetric,
                              .identifier = parse_decrypt_key_identifier(only_value(identifier)),
                              .capabilities = capabilities_of(csr)};
}

}  // namespace estia::crypto
