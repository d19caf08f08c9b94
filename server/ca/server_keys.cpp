// SPDX-License-Identifier: Apache-2.0
#include "server/ca/server_keys.h"

namespace estia::ca {

crypto::KeySpec server_key_spec(const Alias& alias, const CertificateProfile& profile,
                                const crypto::PublicKey& hint) {
  const bool other = alias.serverkeygen_other_key && !profile.key_types.empty();
  if (other && !profile.allows_kind(hint)) {
    return crypto::KeySpec::parse(profile.key_types.front());
  }
  profile.check_kind(hint);
  return *hint.spec();
}

}  // namespace estia::ca
