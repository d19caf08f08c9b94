// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "crypto/base/clock.h"
#include "crypto/openssl/owned.h"

namespace estia::crypto {

/// UTCTime or GeneralizedTime; nullopt for what is no time.
[[nodiscard]] std::optional<Instant> instant_of(const ASN1_TIME* time);

}  // namespace estia::crypto
