// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/keys/private_key.h"
#include "server/ca/model.h"

namespace estia::ca {

/// Where a CA's signing key comes from: a token, through hsm. Keys are resolved once, not per
/// request; any thread. Throws Error{token, ...} while the token cannot sign.
class CaKeys {
 public:
  virtual ~CaKeys() = default;
  [[nodiscard]] virtual crypto::PrivateKey key_for(const CertificationAuthority& ca) const = 0;
  /// A signature of it did not verify: what the token does not mean by it any more is found again.
  virtual void distrust(const CertificationAuthority& ca) const noexcept = 0;
};

}  // namespace estia::ca
