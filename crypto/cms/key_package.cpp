// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/key_package.h"

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/base/secure_der.h"
#include "crypto/keys/digest.h"
#include "crypto/x509/time_element.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kKeyPackage = "2.16.840.1.101.2.1.2.78.5";
constexpr std::string_view kContentType = "1.2.840.113549.1.9.3";
constexpr std::string_view kMessageDigest = "1.2.840.113549.1.9.4";
constexpr std::string_view kSigningTime = "1.2.840.113549.1.9.5";
constexpr std::uint8_t kSequence = 0x30;

/// EST-4.4.2-b: version 0 means that no publicKey follows.
void check_private_key_info(ByteView pkcs8) {
  try {
    der::check_structure(pkcs8);
    const der::Element outer = der::read(pkcs8);
    ByteView fields = outer.value;
    const der::Element version = der::read(fields);
    const der::Element algorithm = der::read(fields);
    const der::Element key = der::read(fields);
    if (outer.tag == kSequence && version.tag == 0x02 && version.value.size() == 1 &&
        version.value[0] == 0 && algorithm.tag == kSequence && key.tag == 0x04) {
      return;
    }
  } catch (const Error&) {
    // as for every other shape; nothing of it may be told
  }
  throw Error(ErrorCode::internal, "key_package.key", "internal error",
              "what was to be packed is no PrivateKeyInfo");
}

/// How a digest is named and made.
struct Digest {
  std::string_view name;
  std::string_view oid;
};

/// The signer's own; SHA-512 with Ed25519 (RFC 8419 3.1).
Digest digest_of(const SignatureAlgorithm& algorithm) {
  if (algorithm.digest == "SHA2-256") {
    return {"SHA2-256", "2.16.840.1.101.3.4.2.1"};
  }
  if (algorithm.digest == "SHA2-384") {
    return {"SHA2-384", "2.16.840.1.101.3.4.2.2"};
  }
  return {"SHA2-512", "2.16.840.1.101.3.4.2.3"};
}

Bytes attribute(std::string_view type, Bytes value) {
  return der::sequence({der::oid(type), der::set_of({std::move(value)})});
}

/// SignerInfo's SignerIdentifier: [0] subjectKeyIdentifier, else IssuerAndSerialNumber.
Bytes signer_identifier(const Certificate& certificate) {
  if (const Bytes identifier = certificate.subject_key_identifier(); !identifier.empty()) {
    return der::tlv(0x80, identifier);
  }
  return der::sequence({certificate.issuer().der(), der::integer(certificate.serial())});
}

/// RFC 5652 5.3. The attributes are signed as a SET and stand as [0] IMPLICIT (5.4).
Bytes signer_info(const PrivateKey& signer, const Certificate& certificate,
                  const Bytes& digest_algorithm, std::vector<Bytes> signed_attributes) {
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(signer.public_key());
  Bytes attributes = der::set_of(std::move(signed_attributes));
  const Bytes signature = signer.sign(attributes, algorithm);
  attributes.front() = 0xA0;
  const Bytes identifier = signer_identifier(certificate);
  const std::uint32_t version = identifier.front() == kSequence ? 1 : 3;
  return der::sequence({der::small_integer(version), identifier, digest_algorithm, attributes,
                        algorithm.algorithm_identifier, der::octet_string(signature)});
}

}  // namespace

SecureBytes signed_key_package(const SecureBytes& pkcs8, const PrivateKey& signer,
                               const Certificate& certificate, Instant now) {
  check_private_key_info(pkcs8.view());
  if (!(certificate.public_key() == signer.public_key())) {
    throw Error(ErrorCode::internal, "key_package.signer", "internal error",
                "the certificate is not that of the key that signs");
  }
  const Digest digest = digest_of(SignatureAlgorithm::for_key(signer.public_key()));
  const Bytes digest_algorithm = der::sequence({der::oid(digest.oid)});
  // AsymmetricKeyPackage ::= SEQUENCE SIZE (1..MAX) OF OneAsymmetricKey (RFC 5958 2): its header
  // and the key are digested where they are.
  const Bytes message_digest =
      crypto::digest(digest.name, {der::header(kSequence, pkcs8.size()), pkcs8.view()});
  const Bytes signer_infos = der::set_of({signer_info(
      signer, certificate, digest_algorithm,
      {attribute(kContentType, der::oid(kKeyPackage)), attribute(kSigningTime, time_element(now)),
       attribute(kMessageDigest, der::octet_string(message_digest))})});
  // SignedData, RFC 5652 5.1
  using der::Layout;
  return Layout::sequence(
             {der::small_integer(3), der::set_of({digest_algorithm}),
              Layout::sequence(
                  {der::oid(kKeyPackage),
                   Layout::element(0xA0, {Layout::element(
                                             0x04, {Layout::sequence({Layout::secret(pkcs8)})})})}),
              der::tlv(0xA0, certificate.der()), signer_infos})
      .written();
}

}  // namespace estia::crypto
