// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/provision/state_layout.h"

namespace estia::provision {

/// Who can reach a state directory, before anything in it is believed: the directory and its
/// estia.toml belong to us or to root, nobody else has any access to the directory, and nobody else
/// may write the file. The directory holds the store, the TLS key and the first password, and
/// estia.toml names the module that this process loads: whoever writes it is us. ca-bundle.pem is
/// public, but is copied to where clients read it, so that the directory can stay shut.
///
/// The way to the directory (its parents) and ACLs beyond the mode are not looked at. Throws
/// Error{config, ...}: "state.mode", "state.owner", "state.kind", each naming the path and what to
/// do; "state.missing" where there is no directory; Error{store, "state.io"}.
void check_state_access(const StateLayout& layout);

}  // namespace estia::provision
