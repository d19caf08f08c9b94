// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"

namespace estia::hsm {

/// A public key object, and what names it.
struct TokenPublicKey {
  Bytes id{};  ///< CKA_ID
  std::string label{};
  crypto::PublicKey key;
};

/// The public keys in that slot that are EC, RSA or Ed25519: those that anybody may see, and those
/// of a user whom somebody in this process has logged in. Throws Error{config, "token.module_..."}
/// and Error{token}.
[[nodiscard]] std::vector<TokenPublicKey> public_keys_in(const std::filesystem::path& module,
                                                         const std::string& init_args,
                                                         unsigned long slot);

}  // namespace estia::hsm
