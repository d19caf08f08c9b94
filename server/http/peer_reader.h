// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <string>

#include "server/http/peer.h"

namespace estia::http {

/// What an established connection tells about its peer. Never throws for what the peer sent.
[[nodiscard]] PeerInfo read_peer(SSL* ssl, std::string address);

}  // namespace estia::http
