// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/x509/certificate.h"
#include "server/api/json.h"
#include "server/ca/registry.h"

namespace estia::api {

/// What an operator compares before trusting a CA's certificate: subject, issuer, validity, SHA-256
/// and SHA-512 of the whole (EST-4.1.1-a), and the certificate as PEM.
[[nodiscard]] Json certificate_json(const crypto::Certificate& certificate);

/// What is recorded about a certificate, without the certificate.
[[nodiscard]] Json record_json(const ca::CertificateRecord& record);

}  // namespace estia::api
