// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

namespace estia::crypto {

/// The one OpenSSL library context of the process (D2). Never the default context: SoftHSM uses
/// that one inside its own calls, and an engine or provider of ours there could be entered from
/// within a token call. Made on first use with the default provider active; lives until the process
/// ends. Any thread.
[[nodiscard]] OSSL_LIB_CTX* library();

}  // namespace estia::crypto
