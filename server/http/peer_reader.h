// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include "server/http/peer.h"

namespace estia::http {

/// What an established connection tells about its peer; the address stays empty. Never throws for
/// what the peer sent.
[[nodiscard]] PeerInfo read_peer(SSL* ssl);

}  // namespace estia::http
