// SPDX-License-Identifier: Apache-2.0
#include "server/api/certificate_json.h"

#include "crypto/keys/digest.h"

namespace estia::api {

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
