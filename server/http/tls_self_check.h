// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http/tls_context.h"

namespace estia::http {

/// A handshake with a client inside this process, by TLS 1.3 and by TLS 1.2, before anybody else
/// meets this identity: its key signs, and the certificate that is shown is `leaf`. Throws
/// Error{config, "tls.self_check"}.
void check_handshakes(const TlsContext& context, const crypto::Certificate& leaf);

}  // namespace estia::http
