// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace estia::provision {

/// An extended key usage as the operator writes it, by name ("clientAuth", "cmcRA") or as a dotted
/// OID; gives the OID. nullopt for what is neither.
[[nodiscard]] std::optional<std::string> key_purpose_oid(std::string_view written);

/// The name if there is one, else the OID itself.
[[nodiscard]] std::string key_purpose_name(std::string_view oid);

/// Names with commas, for messages.
[[nodiscard]] std::string known_key_purposes();

}  // namespace estia::provision
