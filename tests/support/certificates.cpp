// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"

#include <chrono>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/certificate_builder.h"

namespace estia::test {

using crypto::require;

Bytes make_csr_der(const crypto::PrivateKey& key, const std::string& subject,
                   const std::vector<std::string>& sans) {
  const crypto::X509ReqPtr request(
      require(::X509_REQ_new_ex(crypto::library(), nullptr), "X509_REQ_new_ex"));
  require(::X509_REQ_set_version(request.get(), 0), "X509_REQ_set_version");
  const auto name = crypto::Name::from_text(subject).to_openssl();
  require(::X509_REQ_set_subject_name(request.get(), name.get()), "X509_REQ_set_subject_name");
  require(::X509_REQ_set_pubkey(request.get(), key.public_key().evp()), "X509_REQ_set_pubkey");
  if (!sans.empty()) {
    const Bytes der = crypto::GeneralNames::from_texts(sans).der();
    const crypto::Asn1OctetStringPtr value(
        require(::ASN1_OCTET_STRING_new(), "ASN1_OCTET_STRING_new"));
    require(::ASN1_OCTET_STRING_set(value.get(), der.data(), static_cast<int>(der.size())),
            "ASN1_OCTET_STRING_set");
    const crypto::ExtensionStackPtr stack(require(sk_X509_EXTENSION_new_null(), "sk_new"));
    sk_X509_EXTENSION_push(
        stack.get(), ::X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, value.get()));
    require(::X509_REQ_add_extensions(request.get(), stack.get()), "X509_REQ_add_extensions");
  }
  const bool hashes_itself = crypto::SignatureAlgorithm::for_key(key.public_key()).digest.empty();
  const crypto::EvpMdCtxPtr context(require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
  require(::EVP_DigestSignInit_ex(context.get(), nullptr, hashes_itself ? nullptr : "SHA2-256",
                                  crypto::library(), nullptr, key.evp(), nullptr),
          "EVP_DigestSignInit_ex");
  require(::X509_REQ_sign_ctx(request.get(), context.get()) > 0 ? 1 : 0, "X509_REQ_sign_ctx");
  unsigned char* out = nullptr;
  const int size = ::i2d_X509_REQ(request.get(), &out);
  require(size > 0 ? 1 : 0, "i2d_X509_REQ");
  const crypto::OpenSslPtr<unsigned char> owned(out);
  return {out, out + size};
}

SoftwareCa make_software_ca(const std::string& name) {
  auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  const auto subject = crypto::Name::from_text("CN=" + name + ",O=Estia test");
  const Instant now = std::chrono::system_clock::now();
  const Bytes tbs = crypto::build_tbs(
      {.serial = {1, 2, 3},
       .issuer = subject,
       .subject = subject,
       .not_before = now - std::chrono::hours(1),
       .not_after = now + std::chrono::hours(24 * 3650),
       .public_key = key.public_key(),
       .extensions = {crypto::basic_constraints_ca(0),
                      crypto::subject_key_identifier(key.public_key().key_identifier()),
                      crypto::key_usage({"keyCertSign", "cRLSign"})}},
      algorithm);
  auto certificate = crypto::assemble_certificate(tbs, algorithm, key.sign(tbs, algorithm));
  return {key,
          {.name = name, .key_uri = "pkcs11:token=test;object=" + name, .chain = {certificate}}};
}

ca::EndEntityProfile device_names() {
  using Kind = crypto::GeneralName::Kind;
  return {.name = "device",
          .subject = {{.attribute = "CN", .required = true, .fixed = {}},
                      {.attribute = "O", .required = false, .fixed = {}},
                      {.attribute = "OU", .required = false, .fixed = {}}},
          .san = {Kind::dns, Kind::ip}};
}

ca::CertificateProfile device_profile() {
  return {.name = "device",
          .validity = std::chrono::hours(24 * 365),
          .backdate = std::chrono::minutes(5),
          .key_types = {"P-256", "P-384", "RSA-2048", "Ed25519"},
          .key_usage = {"digitalSignature", "keyEncipherment"},
          .extended_key_usage = {std::string(crypto::oid::kClientAuth)}};
}

}  // namespace estia::test
