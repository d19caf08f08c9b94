// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace estia::provision {

/// What makes this text useless or unsafe as the URI of a CA's key (RFC 7512 with P11-2.3-a), for
/// the operator; nullopt when it is fine. The token is opened from estia.toml, so the URI may carry
/// neither a PIN nor a module (P11-2.4-b), and a slot number means nothing tomorrow (P11-2.3-c).
/// No text repeats a value of the URI. hsm reads it again, and resolves
/// it; this check is the early one.
[[nodiscard]] std::optional<std::string> key_uri_fault(std::string_view uri);

}  // namespace estia::provision
