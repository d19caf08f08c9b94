// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/x509/certificate.h"

namespace estia::crypto {

/// A certs-only CMS SignedData (EST-4.1.3-b): ContentInfo{signedData, version 1, empty
/// digestAlgorithms, id-data without content, certificates [0], empty signerInfos}, DER
/// (certificates sorted as a SET OF). Each is the DER of a certificate, taken as it is. Throws
/// Error{internal, "cms.no_certificates"} for none.
[[nodiscard]] Bytes certs_only(std::vector<Bytes> certificates);
/// The same of parsed ones.
[[nodiscard]] Bytes certs_only(const std::vector<Certificate>& certificates);

}  // namespace estia::crypto
