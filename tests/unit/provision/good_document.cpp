// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/provision/good_document.h"

#include <stdexcept>

#include "crypto/x509/certificate_builder.h"
#include "tests/support/certificates.h"

namespace estia::test {
namespace {

struct TwoCas {
  std::string root;
  std::string issuing;
};

TwoCas make_two_cas() {
  const SoftwareCa root = make_software_ca("root");
  const crypto::Certificate& above = root.ca.certificate();
  const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(root.key.public_key());
  const Bytes tbs = crypto::build_tbs(
      {.serial = {4, 5, 6},
       .issuer = above.subject(),
       .subject = crypto::Name::from_text("CN=issuing,O=Estia test"),
       .not_before = above.not_before(),
       .not_after = above.not_after(),
       .public_key = key.public_key(),
       .extensions = {crypto::basic_constraints_ca(0),
                      crypto::authority_key_identifier(above.subject_key_identifier()),
                      crypto::subject_key_identifier(key.public_key().key_identifier()),
                      crypto::key_usage({"keyCertSign", "cRLSign"})}},
      algorithm);
  const auto issuing =
      crypto::assemble_certificate(tbs, algorithm, root.key.sign(tbs, algorithm)).parsed();
  return {above.to_pem(), issuing.to_pem()};
}

const TwoCas& two_cas() {
  static const TwoCas cas = make_two_cas();
  return cas;
}

std::string make_document() {
  return R"([[ca]]
name = "issuing"
key = "pkcs11:token=factory;object=issuing;type=private"
certificates = """
)" + issuing_pem() +
         root_pem() + R"("""

[[end_entity_profile]]
name = "device"
required = ["CN"]
optional = ["OU", "serialNumber"]
fixed = { O = "Acme" }
san = ["dns", "ip", "email", "uri"]
max_san = 7

[[certificate_profile]]
name = "device"
validity = "365d"
backdate = "5m"
key_types = ["P-256", "RSA-2048"]
key_usage = ["digitalSignature", "keyEncipherment"]
extended_key_usage = ["clientAuth", "1.3.6.1.4.1.99999.1"]
crl_distribution_points = ["http://pki.example/issuing.crl"]
ca_issuers = ["http://pki.example/issuing.cer"]
ocsp = ["http://pki.example/ocsp"]

[[certificate_profile]]
name = "sub-ca"
validity = "3650d"
key_types = ["P-256"]
key_usage = ["keyCertSign", "cRLSign"]
ca = true
path_length = 0

[[alias]]
name = "est"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["client-certificate", "basic"]
ra_scope = "CN=device-*, O=Acme, dns=*.acme.example"
channel_binding = "required"
name_parameters = ["CN"]
allow_same_key = false
retry_window = "90s"

[[alias]]
name = "renew"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["client-certificate"]

[[account]]
alias = "est"
user = "ra"
password_file = "ra.password"
)";
}

}  // namespace

const std::string& good_document() {
  static const std::string document = make_document();
  return document;
}

std::string mutated(const std::string& from, const std::string& to) {
  std::string text = good_document();
  const std::size_t at = text.find(from);
  if (at == std::string::npos) {
    throw std::logic_error("not in the good document: " + from);
  }
  return text.replace(at, from.size(), to);
}

const std::string& issuing_pem() {
  return two_cas().issuing;
}

const std::string& root_pem() {
  return two_cas().root;
}

}  // namespace estia::test
