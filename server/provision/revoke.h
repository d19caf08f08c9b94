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
/// are refused: nothing here releases from hold. Throws Error{config, "revoke.reason"}.
[[nodiscard]] int parse_reason(std::string_view name);

/// Revokes, durable and audited when it returns. Throws Error{not_found,
/// "registry.unknown_serial"}, Error{conflict, "registry.already_revoked"}.
void revoke(ca::Registry& registry, const Clock& clock, const std::string& who, const Bytes& serial,
            int reason);

}  // namespace estia::provision
