// SPDX-License-Identifier: Apache-2.0
#include "server/ca/server_keys.h"

#include <algorithm>

#include "crypto/base/error.h"

namespace estia::ca {
namespace {

const crypto::KeySpec* allowed(const CertificateProfile& profile, const std::string& name) {
  const auto& known = crypto::KeySpec::known();
  const auto found = std::ranges::find(known, name, &crypto::KeySpec::name);
  const bool listed = std::ranges::find(profile.key_types, name) != profile.key_types.end();
  return listed && found != known.end() ? &*found : nullptr;
}

}  // namespace

const crypto::KeySpec& server_key_spec(const Alias& alias, const CertificateProfile& profile,
                                       const crypto::PublicKey& hint) {
  if (hint.spec()) {
    if (const crypto::KeySpec* same = allowed(profile, hint.spec()->name)) {
      return *same;
    }
  }
  if (alias.serverkeygen_other_key && !profile.key_types.empty()) {
    if (const crypto::KeySpec* first = allowed(profile, profile.key_types.front())) {
      return *first;
    }
  }
  throw Error(ErrorCode::malformed, "key.not_in_profile", "this kind of key is not allowed here",
              (hint.spec() ? hint.spec()->name : "the kind of the request's key") +
                  " is not in profile " + profile.name);
}

}  // namespace estia::ca
