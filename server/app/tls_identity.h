// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "crypto/base/clock.h"
#include "hsm/key_uri.h"
#include "server/app/process_config.h"
#include "server/http/server.h"

namespace estia::app {

/// The private key of that name in the token; throws what hsm::Token::key throws.
using TokenKeySource = std::function<crypto::PrivateKey(const hsm::KeyUri&)>;

/// The listener's key and certificate chain, checked: a key's file is ours alone, key and
/// certificate belong together, each certificate is issued by the next, and the first is valid at
/// `now`. A key in the token is asked for from `token`. Throws Error{config, "tls.key_mismatch" |
/// "tls.expired" | "tls.not_yet_valid" | "tls.chain_order" | "tls.not_a_file"} and those of
/// read_secret_file, PrivateKey::from_pem, Certificate::parse_pem, TokenKeySource, each naming the
/// file or key.
[[nodiscard]] http::TlsIdentity load_tls_identity(const ProcessConfig::EstListener& listener,
                                                  const TokenKeySource& token, Instant now);

/// As far as it goes without a token.
void check_tls_files(const ProcessConfig::EstListener& listener, Instant now);

}  // namespace estia::app
