// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"

namespace estia::crypto {

/// Time (RFC 5280 4.1.2.5, RFC 5652 11.3): UTCTime through 2049, GeneralizedTime from 2050; seconds
/// always, Z, no fractions (X509-4.1.2.5-a). Throws Error{internal, "certificate.contents"} for a
/// year that neither can hold.
[[nodiscard]] Bytes time_element(Instant at);

}  // namespace estia::crypto
