// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/clock.h"
#include "server/app/process_config.h"
#include "server/http/server.h"

namespace estia::app {

/// The listener's key and certificate chain from their files, checked: the key's file is ours
/// alone, key and certificate belong together, each certificate is issued by the next, and the
/// first is valid at `now`. Throws Error{config, "tls.key_mismatch" | "tls.expired" |
/// "tls.not_yet_valid" | "tls.chain_order" | "tls.not_a_file"} and those of read_secret_file, PrivateKey::from_pem,
/// Certificate::parse_pem, each naming the file.
[[nodiscard]] http::TlsIdentity load_tls_identity(const ProcessConfig::EstListener& listener,
                                                  Instant now);

}  // namespace estia::app
