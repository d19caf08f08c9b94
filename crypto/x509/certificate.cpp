// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/certificate.h"

#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/keys/digest.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/openssl/time.h"
#include "crypto/x509/extension_list.h"

namespace estia::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::malformed, "certificate.malformed", "the certificate is malformed", why);
}

X509Ptr decode(ByteView der) {
  X509* raw = require(::X509_new_ex(library(), nullptr), "X509_new_ex");
  const unsigned char* at = der.data();
  if (::d2i_X509(&raw, &at, static_cast<long>(der.size())) == nullptr) {  // frees raw
    refuse(drain_errors());
  }
  X509Ptr certificate(raw);
  if (at != der.data() + der.size()) {
    refuse("trailing bytes");
  }
  return certificate;
}

Instant time_of(const ASN1_TIME* time) {
  const std::optional<Instant> at = instant_of(time);
  if (!at) {
    refuse("validity");
  }
  return *at;
}

std::vector<Extension> extensions_of(const X509* certificate) {
  const STACK_OF(X509_EXTENSION)* stack = ::X509_get0_extensions(certificate);
  if (stack == nullptr) {
    return {};
  }
  unsigned char* out = nullptr;
  const int size = ::i2d_X509_EXTENSIONS(const_cast<STACK_OF(X509_EXTENSION)*>(stack),
                                         &out);  // takes no const, changes nothing
  require(size > 0 ? 1 : 0, "i2d_X509_EXTENSIONS");
  const OpenSslPtr<unsigned char> owned(out);
  return parse_extensions({out, static_cast<std::size_t>(size)});
}

PublicKey key_of(const X509* certificate) {
  unsigned char* out = nullptr;
  const int size = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(certificate), &out);
  require(size > 0 ? 1 : 0, "i2d_X509_PUBKEY");
  const OpenSslPtr<unsigned char> owned(out);
  if (auto plain = PublicKey::from_plain_spki({out, static_cast<std::size_t>(size)})) {
    return *std::move(plain);
  }
  EVP_PKEY* key = ::X509_get0_pubkey(certificate);
  if (key == nullptr) {
    refuse("public key: " + drain_errors());
  }
  return PublicKey::of(key);
}

}  // namespace

struct Certificate::Parts {
  X509Ptr x509;
  Bytes der;
  Name subject;
  Name issuer;
  Instant not_before;
  Instant not_after;
  PublicKey key;
  std::vector<Extension> extensions;
};

Certificate::Certificate(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

template <class Decode>
Certificate Certificate::read(ByteView der, Decode decode) {
  try {
    der::check_structure(der);
    X509Ptr x509 = decode();
    // OpenSSL fills caches inside the object on first use; done here, later use from several
    // threads only reads.
    static_cast<void>(::X509_check_purpose(x509.get(), -1, 0));
    const X509* view = x509.get();
    Parts parts{.x509 = nullptr,
                .der = Bytes(der.begin(), der.end()),
                .subject = Name::from_openssl(::X509_get_subject_name(view)),
                .issuer = Name::from_openssl(::X509_get_issuer_name(view)),
                .not_before = time_of(::X509_get0_notBefore(view)),
                .not_after = time_of(::X509_get0_notAfter(view)),
                .key = key_of(view),
                .extensions = extensions_of(view)};
    parts.x509 = std::move(x509);
    static_cast<void>(drain_errors());
    return Certificate(std::make_shared<const Parts>(std::move(parts)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed || error.id() == "certificate.malformed") {
      throw;
    }
    refuse(error.id() + ": " + error.detail());
  }
}

Certificate Certificate::parse(ByteView der) {
  return read(der, [&] { return decode(der); });
}

Certificate Certificate::from_openssl(const X509* certificate) {
  unsigned char* out = nullptr;
  const int size = ::i2d_X509(certificate, &out);
  require(size > 0 ? 1 : 0, "i2d_X509");
  const OpenSslPtr<unsigned char> owned(out);
  // Shared, not decoded again: that costs more than verifying a signature.
  return read({out, static_cast<std::size_t>(size)}, [&] {
    auto* shared = const_cast<X509*>(certificate);  // a count of owners changes
    require(::X509_up_ref(shared), "X509_up_ref");
    return X509Ptr(shared);
  });
}

std::vector<Certificate> Certificate::parse_pem(std::string_view pem) {
  const auto refuse_pem = [](const char* why) -> void {
    throw Error(ErrorCode::config, "certificate.pem", std::string("not PEM certificates: ") + why);
  };
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<Certificate> certificates;
  for (;;) {
    pem.remove_prefix(std::min(pem.find_first_not_of(kSpace), pem.size()));
    if (pem.empty()) {
      break;
    }
    const std::size_t end = pem.find(kEnd);
    if (!pem.starts_with(kBegin) || end == std::string_view::npos) {
      refuse_pem("text outside the armour");
    }
    try {
      certificates.push_back(parse(base64_decode(pem.substr(kBegin.size(), end - kBegin.size()))));
    } catch (const Error& error) {
      refuse_pem(error.what());
    }
    pem.remove_prefix(end + kEnd.size());
  }
  if (certificates.empty()) {
    refuse_pem("empty");
  }
  return certificates;
}

const Bytes& Certificate::der() const noexcept {
  return parts_->der;
}

std::string Certificate::to_pem() const {
  return std::string(kBegin) + "\n" + base64_encode(der(), 64) + std::string(kEnd) + "\n";
}

Bytes Certificate::serial() const {
  const ASN1_INTEGER* serial = ::X509_get0_serialNumber(openssl());
  const unsigned char* data = ::ASN1_STRING_get0_data(serial);
  Bytes magnitude(data, data + ::ASN1_STRING_length(serial));
  magnitude.erase(magnitude.begin(),
                  std::find_if(magnitude.begin(), magnitude.end(), [](auto b) { return b != 0; }));
  return magnitude;
}

const Name& Certificate::subject() const noexcept {
  return parts_->subject;
}
const Name& Certificate::issuer() const noexcept {
  return parts_->issuer;
}
Instant Certificate::not_before() const noexcept {
  return parts_->not_before;
}
Instant Certificate::not_after() const noexcept {
  return parts_->not_after;
}
const PublicKey& Certificate::public_key() const noexcept {
  return parts_->key;
}
const std::vector<Extension>& Certificate::extensions() const noexcept {
  return parts_->extensions;
}
X509* Certificate::openssl() const noexcept {
  return parts_->x509.get();
}

const Extension* Certificate::find_extension(std::string_view oid) const noexcept {
  const auto found = std::find_if(parts_->extensions.begin(), parts_->extensions.end(),
                                  [&](const Extension& extension) { return extension.oid == oid; });
  return found == parts_->extensions.end() ? nullptr : &*found;
}

GeneralNames Certificate::subject_alt_names() const {
  const Extension* extension = find_extension(oid::kSubjectAltName);
  return extension == nullptr ? GeneralNames() : GeneralNames::from_der(extension->value);
}

std::vector<std::string> Certificate::extended_key_usage() const {
  std::vector<std::string> oids;
  if (const Extension* extension = find_extension(oid::kExtendedKeyUsage)) {
    der::check_structure(extension->value);
    ByteView rest = extension->value;
    const der::Element outer = der::read(rest);
    ByteView content = outer.value;
    while (!content.empty()) {
      const der::Element purpose = der::read(content);
      if (outer.tag != 0x30 || purpose.tag != 0x06) {
        refuse("extendedKeyUsage");
      }
      oids.push_back(dotted_oid(purpose.value));
    }
  }
  return oids;
}

bool Certificate::has_extended_key_usage(std::string_view oid) const {
  const auto oids = extended_key_usage();
  return std::find(oids.begin(), oids.end(), oid) != oids.end();
}

Bytes Certificate::subject_key_identifier() const {
  const Extension* extension = find_extension(oid::kSubjectKeyIdentifier);
  if (extension == nullptr) {
    return {};
  }
  ByteView rest = extension->value;
  const ByteView value = der::read(rest).value;
  return {value.begin(), value.end()};
}

bool Certificate::is_ca() const {
  return ::X509_check_ca(openssl()) == 1;
}

bool Certificate::self_issued() const {
  return subject().matches(issuer());
}

Bytes Certificate::fingerprint_sha256() const {
  return sha256(der());
}

Bytes Certificate::tbs() const {
  ByteView rest = der();
  ByteView content = der::read(rest).value;
  const ByteView whole = der::read(content).whole;
  return {whole.begin(), whole.end()};
}

Bytes Certificate::signature() const {
  const ASN1_BIT_STRING* signature = nullptr;
  ::X509_get0_signature(&signature, nullptr, openssl());
  const unsigned char* data = ::ASN1_STRING_get0_data(signature);
  return {data, data + ::ASN1_STRING_length(signature)};
}

bool Certificate::signed_by(const PublicKey& issuer) const {
  if (!issuer.spec()) {
    return false;
  }
  return issuer.verify(tbs(), signature(), SignatureAlgorithm::for_key(issuer));
}

}  // namespace estia::crypto
