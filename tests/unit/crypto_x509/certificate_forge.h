// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "crypto/x509/certificate_builder.h"
#include "tests/support/software_keys.h"

namespace estia::crypto {

inline const Instant kNow = from_unix_seconds(1'790'000'000);  // in September 2026

struct Issuer {
  PrivateKey key;
  Certificate certificate;
};

[[nodiscard]] inline PrivateKey new_key() {
  return PrivateKey::generate_software(KeySpec::parse("P-256"));
}

[[nodiscard]] inline Certificate signed_certificate(const CertificateContents& contents,
                                                    const PrivateKey& issuer) {
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(issuer.public_key());
  const Bytes tbs = build_tbs(contents, algorithm);
  return assemble_certificate(tbs, algorithm, issuer.sign(tbs, algorithm)).parsed();
}

[[nodiscard]] inline CertificateContents leaf_contents(const Issuer& issuer, const PublicKey& key) {
  return {
      .serial = {0x01, 0x02},
      .issuer = issuer.certificate.subject(),
      .subject = Name::from_text("CN=leaf"),
      .not_before = kNow - std::chrono::hours(1),
      .not_after = kNow + std::chrono::hours(24),
      .public_key = key,
      .extensions = {authority_key_identifier(issuer.key.public_key().key_identifier()),
                     subject_key_identifier(key.key_identifier()), key_usage({"digitalSignature"}),
                     extended_key_usage({std::string(oid::kClientAuth)})}};
}

[[nodiscard]] inline CertificateContents ca_contents(const std::string& name, const PublicKey& key,
                                                     int path_length) {
  const Name subject = Name::from_text("CN=" + name);
  return {.serial = {0x01},
          .issuer = subject,
          .subject = subject,
          .not_before = kNow - std::chrono::hours(24),
          .not_after = kNow + std::chrono::hours(2400),
          .public_key = key,
          .extensions = {basic_constraints_ca(path_length),
                         subject_key_identifier(key.key_identifier()),
                         key_usage({"keyCertSign", "cRLSign"})}};
}

[[nodiscard]] inline Issuer make_root(const std::string& name = "Root", int path_length = -1) {
  const PrivateKey key = new_key();
  return {key, signed_certificate(ca_contents(name, key.public_key(), path_length), key)};
}

[[nodiscard]] inline Issuer make_sub_ca(const Issuer& above, const std::string& name,
                                        int path_length = -1) {
  const PrivateKey key = new_key();
  CertificateContents contents = ca_contents(name, key.public_key(), path_length);
  contents.issuer = above.certificate.subject();
  contents.extensions.push_back(authority_key_identifier(above.key.public_key().key_identifier()));
  return {key, signed_certificate(contents, above.key)};
}

}  // namespace estia::crypto
