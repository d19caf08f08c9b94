// SPDX-License-Identifier: Apache-2.0
#include "server/api/certificate_json.h"

#include "server/provision/revoke.h"

#include "crypto/keys/digest.h"

namespace estia::api {
namespace {

std::string_view to_string(ca::CertificateState state) noexcept {
  switch (state) {
    case ca::CertificateState::intended:
      return "intended";
    case ca::CertificateState::issued:
      return "issued";
    case ca::CertificateState::failed:
      return "failed";
  }
  return "";
}

Json revocation_of(const ca::CertificateRecord& record) {
  if (!record.revocation) {
    return nullptr;
  }
  return {{"at", utc_text(record.revocation->at)},
          {"reason", std::string(provision::reason_name(record.revocation->reason))}};
}

}  // namespace

Json record_json(const ca::CertificateRecord& record) {
  Json value{{"serial", to_hex(record.serial)},
             {"ca", record.ca},
             {"alias", record.alias},
             {"username", record.username},
             {"profile", record.profile},
             {"state", std::string(to_string(record.state))},
             {"recorded_at", utc_text(record.recorded_at)},
             {"revocation", revocation_of(record)}};
  if (!record.certificate.empty()) {
    const auto certificate = crypto::Certificate::parse(record.certificate);
    value["subject"] = certificate.subject().text();
    value["not_before"] = utc_text(certificate.not_before());
    value["not_after"] = utc_text(certificate.not_after());
  }
  return value;
}

Json certificate_json(const crypto::Certificate& certificate) {
  return {{"subject", certificate.subject().text()},
          {"issuer", certificate.issuer().text()},
          {"not_before", utc_text(certificate.not_before())},
          {"not_after", utc_text(certificate.not_after())},
          {"sha256", to_hex(certificate.fingerprint_sha256())},
          {"sha512", to_hex(crypto::sha512(certificate.der()))},
          {"certificate", certificate.to_pem()}};
}

}  // namespace estia::api
