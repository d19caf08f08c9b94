// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/csr.h"

#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/keys/signature_algorithm.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/extension_list.h"

namespace estia::crypto {
namespace {

constexpr std::size_t kMaxSize = 64U << 10U;
constexpr std::size_t kMaxAttributes = 32;
constexpr std::size_t kMaxChallenge = 255;  // RFC 2985 5.4.1

constexpr std::string_view kExtensionRequest = "1.2.840.113549.1.9.14";
constexpr std::string_view kChallengePassword = "1.2.840.113549.1.9.7";
constexpr std::string_view kEstIdentityLinking = "1.2.840.113549.1.9.16.2.58";
constexpr std::string_view kChangeSubjectName = "1.3.6.1.5.5.7.7.36";  // CSN-7.1-e

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "csr.malformed", "the certification request is malformed", why);
}

/// RFC 2986 4: CertificationRequest { CertificationRequestInfo { version, subject, subjectPKInfo,
/// attributes [0] }, signatureAlgorithm, signature }.
struct Parts {
  ByteView info;  // what is signed
  ByteView subject;
  ByteView spki;
  ByteView attributes;  // content of [0]
  ByteView algorithm;
  ByteView signature;  // value of the BIT STRING, with its unused-bits octet
};

Parts split(ByteView der) {
  if (der.size() > kMaxSize) {
    refuse("over 64 KiB");
  }
  der::check_structure(der);
  ByteView rest = der;
  const der::Element outer = der::read(rest);
  ByteView content = outer.value;
  const der::Element info = der::read(content);
  const der::Element algorithm = der::read(content);
  const der::Element signature = der::read(content);
  if (outer.tag != 0x30 || info.tag != 0x30 || algorithm.tag != 0x30 || signature.tag != 0x03 ||
      !content.empty()) {
    refuse("not a CertificationRequest");
  }
  ByteView fields = info.value;
  const der::Element version = der::read(fields);
  const der::Element subject = der::read(fields);
  const der::Element spki = der::read(fields);
  if (version.tag != 0x02 || version.value.size() != 1 || version.value[0] != 0) {
    refuse("version is not v1(0)");
  }
  Parts parts{info.whole, subject.whole, spki.whole, {}, algorithm.whole, signature.value};
  if (!fields.empty()) {  // old encoders leave the empty [0] out
    const der::Element attributes = der::read(fields);
    if (attributes.tag != 0xA0 || !fields.empty()) {
      refuse("unexpected field in CertificationRequestInfo");
    }
    parts.attributes = attributes.value;
  }
  return parts;
}

CsrAttribute parse_attribute(const der::Element& element) {
  ByteView content = element.value;
  const der::Element type = der::read(content);
  const der::Element values = der::read(content);
  if (element.tag != 0x30 || type.tag != 0x06 || values.tag != 0x31 || !content.empty()) {
    refuse("attribute");
  }
  CsrAttribute attribute{.oid = dotted_oid(type.value), .values = {}};
  ByteView rest = values.value;
  while (!rest.empty()) {
    const ByteView whole = der::read(rest).whole;
    attribute.values.emplace_back(whole.begin(), whole.end());
  }
  return attribute;
}

std::vector<CsrAttribute> parse_attributes(ByteView content) {
  std::vector<CsrAttribute> attributes;
  std::set<std::string> seen;
  while (!content.empty()) {
    attributes.push_back(parse_attribute(der::read(content)));
    if (!seen.insert(attributes.back().oid).second) {
      refuse("attribute " + attributes.back().oid + " stands twice");
    }
    if (attributes.size() > kMaxAttributes) {
      refuse("too many attributes");
    }
  }
  return attributes;
}

const Bytes& only_value(const CsrAttribute& attribute) {
  if (attribute.values.size() != 1) {
    refuse("attribute " + attribute.oid + " needs exactly one value");
  }
  return attribute.values.front();
}

/// A DirectoryString as UTF-8 (EST-3.5-e: any type); what an encoder left at its end goes.
std::string directory_string(const CsrAttribute& attribute) {
  ByteView rest = only_value(attribute);
  const unsigned char* at = rest.data();
  const Owned<ASN1_TYPE, ASN1_TYPE_free> value(
      ::d2i_ASN1_TYPE(nullptr, &at, static_cast<long>(rest.size())));
  static constexpr std::array kStrings = {V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING,
                                          V_ASN1_T61STRING,       V_ASN1_BMPSTRING,
                                          V_ASN1_UNIVERSALSTRING, V_ASN1_IA5STRING};
  if (!value ||
      std::find(kStrings.begin(), kStrings.end(), ::ASN1_TYPE_get(value.get())) == kStrings.end()) {
    static_cast<void>(drain_errors());
    refuse("attribute " + attribute.oid + " is no character string");
  }
  unsigned char* out = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&out, value->value.asn1_string);
  const OpenSslPtr<unsigned char> owned(out);
  if (size < 0 || static_cast<std::size_t>(size) > kMaxChallenge) {
    static_cast<void>(drain_errors());
    refuse("attribute " + attribute.oid + " does not decode or is over 255 bytes");
  }
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  while (!text.empty() &&
         std::string_view(" \t\r\n\0", 5).find(text.back()) != std::string_view::npos) {
    text.pop_back();
  }
  return text;
}

bool is_allowed_pss(const X509_ALGOR* algorithm) {
  const Owned<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free> pss(static_cast<RSA_PSS_PARAMS*>(
      ::ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter)));
  if (!pss || pss->hashAlgorithm == nullptr) {  // absent means SHA-1 (RFC 4055 3.1)
    return false;
  }
  const int digest = ::OBJ_obj2nid(pss->hashAlgorithm->algorithm);
  if (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512) {
    return false;
  }
  if (pss->maskGenAlgorithm == nullptr ||  // absent means MGF1 with SHA-1
      ::OBJ_obj2nid(pss->maskGenAlgorithm->algorithm) != NID_mgf1) {
    return false;
  }
  const Owned<X509_ALGOR, X509_ALGOR_free> mask(static_cast<X509_ALGOR*>(
      ::ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), pss->maskGenAlgorithm->parameter)));
  return mask && ::OBJ_obj2nid(mask->algorithm) == digest;
}

/// EST-6-h: no MD5, SHA-1 only where somebody switches it on (nobody can here).
bool is_allowed_signature(const X509_REQ* request) {
  const X509_ALGOR* algorithm = nullptr;
  ::X509_REQ_get0_signature(request, nullptr, &algorithm);
  switch (::OBJ_obj2nid(algorithm->algorithm)) {
    case NID_sha256WithRSAEncryption:
    case NID_sha384WithRSAEncryption:
    case NID_sha512WithRSAEncryption:
    case NID_ecdsa_with_SHA256:
    case NID_ecdsa_with_SHA384:
    case NID_ecdsa_with_SHA512:
    case NID_ED25519:
      return true;
    case NID_rsassaPss:
      return is_allowed_pss(algorithm);
    default:
      return false;
  }
}

/// The algorithm that a CA with this key would use itself, spelled as it would; with whole octets.
/// nullptr for all others.
const SignatureAlgorithm* usual_algorithm(const PublicKey& key, const Parts& parts) {
  if (!key.spec() || parts.signature.empty() || parts.signature.front() != 0) {
    return nullptr;
  }
  const SignatureAlgorithm& usual = SignatureAlgorithm::for_key(key);
  return std::ranges::equal(usual.algorithm_identifier, parts.algorithm) ? &usual : nullptr;
}

}  // namespace

Csr::Csr(Bytes der, Name subject, PublicKey key)
    : der_(std::move(der)), subject_(std::move(subject)), key_(std::move(key)) {}

Csr Csr::parse(ByteView der) {
  try {
    const Parts parts = split(der);
    Csr csr(Bytes(der.begin(), der.end()), Name::from_der(parts.subject),
            PublicKey::from_spki(parts.spki));
    csr.attributes_ = parse_attributes(parts.attributes);
    for (const CsrAttribute& attribute : csr.attributes_) {
      if (attribute.oid == kExtensionRequest) {
        csr.extensions_ = parse_extensions(only_value(attribute));
      } else if (attribute.oid == kChallengePassword) {
        csr.challenge_ = directory_string(attribute);
      } else if (attribute.oid == kEstIdentityLinking) {
        csr.linking_ = directory_string(attribute);
      } else if (attribute.oid == kChangeSubjectName) {
        csr.change_subject_name_ = only_value(attribute);
      }
    }
    for (const Extension& extension : csr.extensions_) {
      if (extension.oid == oid::kSubjectAltName) {
        csr.san_ = GeneralNames::from_der(extension.value);
      }
    }
    return csr;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed || error.id() == "csr.malformed") {
      throw;
    }
    refuse(error.id() + ": " + error.detail());
  }
}

void Csr::verify_signature() const {
  key_.check_affordable();
  const Parts parts = split(der_);
  // OpenSSL's X509_REQ would decode the key a second time, for more than the verification costs.
  if (const SignatureAlgorithm* usual = usual_algorithm(key_, parts)) {
    if (!key_.verify(parts.info, parts.signature.subspan(1), *usual)) {
      throw Error(ErrorCode::malformed, "csr.signature_invalid",
                  "the request's signature does not verify");
    }
    return;
  }
  X509ReqPtr request(require(::X509_REQ_new_ex(library(), nullptr), "X509_REQ_new_ex"));
  const unsigned char* at = der_.data();
  X509_REQ* raw = request.get();
  if (::d2i_X509_REQ(&raw, &at, static_cast<long>(der_.size())) == nullptr) {
    static_cast<void>(request.release());  // d2i freed it
    refuse(drain_errors());
  }
  if (!is_allowed_signature(request.get())) {
    throw Error(ErrorCode::malformed, "csr.signature_algorithm",
                "the request is signed with an algorithm that is not accepted");
  }
  if (::X509_REQ_verify_ex(request.get(), key_.evp(), library(), nullptr) != 1) {
    throw Error(ErrorCode::malformed, "csr.signature_invalid",
                "the request's signature does not verify", drain_errors());
  }
}

}  // namespace estia::crypto
