// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/x509/extension.h"

namespace estia::crypto {

// What is inside an extension's OCTET STRING, for those that a request may ask for. All throw
// Error{malformed, "extension.malformed"} for a value that is not exactly that.

/// KeyUsage (RFC 5280 4.2.1.3), at least one bit; trailing zero bits are accepted.
[[nodiscard]] KeyUsageNames key_usage_names(ByteView value);

/// ExtKeyUsageSyntax (RFC 5280 4.2.1.12): dotted OIDs, at least one.
[[nodiscard]] std::vector<std::string> key_purpose_oids(ByteView value);

/// PrivateKeyUsagePeriod (RFC 3280 4.2.1.4): at least one of the two.
struct UsagePeriod {
  std::optional<Instant> not_before{};
  std::optional<Instant> not_after{};
};
[[nodiscard]] UsagePeriod private_key_usage_period(ByteView value);

}  // namespace estia::crypto
