// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "server/ca/registry.h"

namespace estia::provision {

/// "4F:2A..", "4f2a..", with or without leading zeros; 1 to 20 octets. Throws Error{config,
/// "serial.invalid"}.
[[nodiscard]] Bytes parse_serial(std::string_view text);

/// A CRLReason by its name in RFC 5280 5.3.1 ("keyCompromise"). certificateHold and removeFromCRL
/// are refused: hold() and release() are for those. Throws Error{config, "revoke.reason"}.
[[nodiscard]] int parse_reason(std::string_view name);

/// Also knows certificateHold.
[[nodiscard]] std::string_view reason_name(int code) noexcept;

// Each is durable and audited when it returns, and throws what ca::Registry throws.
/// For good, with one of parse_reason's reasons; also a certificate that is on hold.
void revoke(ca::Registry& registry, const Clock& clock, const std::string& who, const Bytes& serial,
            int reason);
/// Until release(): refused for authentication and renewal meanwhile.
void hold(ca::Registry& registry, const Clock& clock, const std::string& who, const Bytes& serial);
void release(ca::Registry& registry, const Clock& clock, const std::string& who,
             const Bytes& serial);

}  // namespace estia::provision
