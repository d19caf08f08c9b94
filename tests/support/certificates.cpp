// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"

#include <chrono>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/certificate_builder.h"

namespace estia::test {

using crypto::require;

namespace {

void add_extensions(X509_REQ* request, const std::vector<crypto::Extension>& extensions) {
  const crypto::ExtensionStackPtr stack(require(sk_X509_EXTENSION_new_null(), "sk_new"));
  for (const crypto::Extension& extension : extensions) {
    const crypto::Asn1OctetStringPtr value(
        require(::ASN1_OCTET_STRING_new(), "ASN1_OCTET_STRING_new"));
    require(::ASN1_OCTET_STRING_set(value.get(), extension.value.data(),
                                    static_cast<int>(extension.value.size())),
            "ASN1_OCTET_STRING_set");
    ASN1_OBJECT* type = require(::OBJ_txt2obj(extension.oid.c_str(), 1), "OBJ_txt2obj");
    sk_X509_EXTENSION_push(
        stack.get(),
        ::X509_EXTENSION_create_by_OBJ(nullptr, type, extension.critical ? 1 : 0, value.get()));
    ::ASN1_OBJECT_free(type);
  }
  require(::X509_REQ_add_extensions(request, stack.get()), "X509_REQ_add_extensions");
}

}  // namespace

Bytes make_csr_der(const crypto::PrivateKey& key, const std::string& subject,
                   const std::vector<std::string>& sans, const std::string& challenge_password,
                   const std::vector<crypto::Extension>& extensions) {
  const crypto::X509ReqPtr request(
      require(::X509_REQ_new_ex(crypto::library(), nullptr), "X509_REQ_new_ex"));
  require(::X509_REQ_set_version(request.get(), 0), "X509_REQ_set_version");
  const auto name = crypto::Name::from_text(subject).to_openssl();
  require(::X509_REQ_set_subject_name(request.get(), name.get()), "X509_REQ_set_subject_name");
  require(::X509_REQ_set_pubkey(request.get(), key.public_key().evp()), "X509_REQ_set_pubkey");
  std::vector<crypto::Extension> wishes = extensions;
  if (!sans.empty()) {
    wishes.push_back(crypto::subject_alt_name(crypto::GeneralNames::from_texts(sans), false));
  }
  if (!wishes.empty()) {
    add_extensions(request.get(), wishes);
  }
  if (!challenge_password.empty()) {
    require(::X509_REQ_add1_attr_by_NID(
                request.get(), NID_pkcs9_challengePassword, MBSTRING_UTF8,
                reinterpret_cast<const unsigned char*>(challenge_password.data()),
                static_cast<int>(challenge_password.size())),
            "X509_REQ_add1_attr_by_NID");
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

namespace {

SoftwareCa make_software_ca(const std::string& name, const SoftwareCa* issuer) {
  auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  const auto subject = crypto::Name::from_text("CN=" + name + ",O=Estia test");
  const Instant now = std::chrono::system_clock::now();
  std::vector<crypto::Extension> extensions{
      crypto::basic_constraints_ca(issuer == nullptr ? 1 : 0),
      crypto::subject_key_identifier(key.public_key().key_identifier()),
      crypto::key_usage({"keyCertSign", "cRLSign"})};
  if (issuer != nullptr) {
    extensions.push_back(
        crypto::authority_key_identifier(issuer->ca.certificate().subject_key_identifier()));
  }
  const Bytes tbs =
      crypto::build_tbs({.serial = {1, 2, 3},
                         .issuer = issuer == nullptr ? subject : issuer->ca.certificate().subject(),
                         .subject = subject,
                         .not_before = now - std::chrono::hours(1),
                         .not_after = now + std::chrono::hours(24 * 3650),
                         .public_key = key.public_key(),
                         .extensions = extensions},
                        algorithm);
  const crypto::PrivateKey& signer = issuer == nullptr ? key : issuer->key;
  std::vector<crypto::Certificate> chain{
      crypto::assemble_certificate(tbs, algorithm, signer.sign(tbs, algorithm)).parsed()};
  if (issuer != nullptr) {
    chain.insert(chain.end(), issuer->ca.chain.begin(), issuer->ca.chain.end());
  }
  return {key, {.name = name, .key_uri = "pkcs11:token=test;object=" + name, .chain = chain}};
}

}  // namespace

SoftwareCa make_software_ca(const std::string& name) {
  return make_software_ca(name, nullptr);
}

SoftwareCa make_software_ca_below(const SoftwareCa& issuer, const std::string& name) {
  return make_software_ca(name, &issuer);
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
