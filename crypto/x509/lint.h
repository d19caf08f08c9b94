// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/signature_algorithm.h"
#include "crypto/x509/name.h"

namespace estia::crypto {

struct Finding {
  enum class Severity { warning, error };
  Severity severity;
  std::string id;  ///< "serial.not_positive", "validity.reversed", "key_usage.missing_in_ca", ...
  std::string text;
};

/// Checks a TBSCertificate against the table of RFC 5280 rules (X509-lint; Baseline
/// Requirements 4.3.1.2) before the HSM signs it: version 3, serial, signature algorithm, names
/// non-empty where they must be, upper bounds (CN, O, OU, serialNumber 64, C exactly 2), times
/// well-formed and ordered, no extension twice, AKI and SKI present, basicConstraints/keyUsage
/// consistent, keyUsage fits the key type (X509-4.2.1.3-a), SAN criticality, EKU non-empty.
[[nodiscard]] std::vector<Finding> lint_tbs(ByteView tbs, const SignatureAlgorithm& algorithm);

/// What of a name is longer than the upper bounds of RFC 5280 appendix A allow ("CN is longer than
/// 64"), or nullopt.
[[nodiscard]] std::optional<std::string> over_upper_bound(const Name& name);

}  // namespace estia::crypto
