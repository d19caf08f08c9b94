// SPDX-License-Identifier: Apache-2.0
// serverkeygen with keys that the token encrypts: what a client asks with, and how it reads.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "crypto/base/der.h"
#include "crypto/base/file.h"
#include "crypto/x509/certificate.h"
#include "tests/e2e/support/est_client.h"
#include "tests/support/csr_with_attributes.h"
#include "tests/support/software_keys.h"
#include "tests/support/token_encrypted.h"

namespace estia::e2e {

/// What SoftHSM can do: RSAES-OAEP with SHA-1, id-aes256-wrap-pad.
[[nodiscard]] inline Bytes softhsm_capabilities() {
  return der::sequence({der::sequence({der::oid("1.2.840.113549.1.1.7"), der::sequence({})}),
                        der::sequence({der::oid("2.16.840.1.101.3.4.1.48")})});
}

inline constexpr const char* kAsymmetricDecryptKeyIdentifier = "1.2.840.113549.1.9.16.2.54";
inline constexpr const char* kDecryptKeyIdentifier = "1.2.840.113549.1.9.16.2.37";

/// A request for a key of that kind, encrypted for the key of this identifier.
[[nodiscard]] inline Bytes wrapped_key_request(
    const std::string& common_name, const Bytes& identifier, const std::string& kind = "P-256",
    const Bytes& capabilities = softhsm_capabilities(),
    const char* attribute = kAsymmetricDecryptKeyIdentifier) {
  return test::csr_with_attributes(test::software_key(kind), "CN=" + common_name,
                                   {test::attribute_of("1.2.840.113549.1.9.15", capabilities),
                                    test::attribute_of(attribute, der::octet_string(identifier))});
}

[[nodiscard]] inline crypto::Certificate certificate_in(const std::filesystem::path& pem) {
  return crypto::Certificate::parse_pem([&] {
           const std::string text = read_file(pem);  // openssl writes names before it
           return text.substr(text.find("-----BEGIN"));
         }())
      .at(0);
}

[[nodiscard]] inline crypto::PrivateKey key_in(const std::filesystem::path& pem) {
  return crypto::PrivateKey::from_pem(Secret(read_file(pem)));
}

/// The PrivateKeyInfo in EnvelopedData of SoftHSM's, without the octets behind it: the message is
/// taken apart to the last field.
[[nodiscard]] inline Bytes unwrapped(ByteView message, const crypto::PrivateKey& recipient,
                                     const Bytes& identifier) {
  ByteView content_info = der::read(message).value;
  const auto type = der::read(content_info).whole;
  EXPECT_EQ(Bytes(type.begin(), type.end()), der::oid("1.2.840.113549.1.7.3"));
  ByteView explicit_content = der::read(content_info).value;
  ByteView enveloped = der::read(explicit_content).value;
  EXPECT_EQ(to_hex(der::read(enveloped).whole), "020102");
  ByteView infos = der::read(enveloped).value;
  ByteView info = der::read(infos).value;
  EXPECT_TRUE(infos.empty());
  EXPECT_EQ(to_hex(der::read(info).whole), "020102");
  EXPECT_EQ(to_hex(der::read(info).value), to_hex(identifier));
  EXPECT_EQ(to_hex(der::read(info).whole), "300d06092a864886f70d0101073000");
  const auto content_key = der::read(info).value;
  ByteView encrypted = der::read(enveloped).value;
  EXPECT_EQ(to_hex(der::read(encrypted).value), "2a864886f70d010701");
  EXPECT_EQ(to_hex(der::read(encrypted).whole), "300b0609608648016503040130");
  const auto content = der::read(encrypted).value;
  const Bytes opened = test::opened(
      recipient, {recipient.public_key(), "SHA1", crypto::TokenCipher::aes256_wrap_pad},
      {{content_key.begin(), content_key.end()}, {}, {content.begin(), content.end()}});
  ByteView rest = opened;
  const auto key = der::read(rest).whole;
  EXPECT_LT(rest.size(), 8U);
  return {key.begin(), key.end()};
}

}  // namespace estia::e2e
