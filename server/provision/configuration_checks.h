// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/ca/model.h"
#include "server/provision/configuration_document.h"
#include "server/provision/configuration_section.h"

namespace estia::provision {

/// Does what this alias refers to exist, and do the parts fit? Throws Error{config, ...}
/// "config.reference", "config.ca_profile_on_alias", "config.username_field".
void check_alias(const ConfigurationSection& section, const ca::Alias& alias,
                 const ca::Snapshot& contents);

/// Is the anchor's key none of ours? Throws Error{config, "config.anchor_is_ours"}.
void check_trust_anchor(const ConfigurationSection& section, const ca::TrustAnchor& anchor,
                        const ca::Snapshot& contents);

/// Throws Error{config, ...} "config.reference", "config.account_unused", "config.duplicate".
void check_account(const ConfigurationSection& section, const AccountEntry& account,
                   const ParsedConfiguration& so_far);

/// What is lawful but hardly meant.
[[nodiscard]] std::vector<std::string> warnings_for(const ParsedConfiguration& configuration);

}  // namespace estia::provision
