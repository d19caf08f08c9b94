// SPDX-License-Identifier: Apache-2.0
#include "server/ca/server_keys.h"

#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/keys/private_key.h"

namespace estia::ca {
namespace {

crypto::PublicKey rsa_key_of_nobody(unsigned bits) {
  constexpr std::array<std::uint8_t, 3> kExponent{0x01, 0x00, 0x01};
  Bytes modulus(bits / 8);
  random_fill(modulus);
  modulus.front() |= 0x80;  // of full length
  modulus.back() |= 0x01;
  const Bytes key = der::sequence({der::integer(modulus), der::integer(kExponent)});
  const Bytes algorithm = der::sequence({der::oid("1.2.840.113549.1.1.1"), der::null()});
  return crypto::PublicKey::from_spki(der::sequence({algorithm, der::bit_string(key)}));
}

crypto::PublicKey new_stand_in(const crypto::KeySpec& spec) {
  if (!spec.name.starts_with("RSA")) {
    return crypto::PrivateKey::generate_software(spec).public_key();
  }
  for (;;) {
    crypto::PublicKey key = rsa_key_of_nobody(spec.bits);
    try {
      key.check_strength();
      return key;
    } catch (const Error&) {
      // Four of five have a small factor.
    }
  }
}

}  // namespace

crypto::KeySpec server_key_spec(const Alias& alias, const CertificateProfile& profile,
                                const crypto::PublicKey& hint) {
  const bool other = alias.serverkeygen_other_key && !profile.key_types.empty();
  if (other && !profile.allows_kind(hint)) {
    return crypto::KeySpec::parse(profile.key_types.front());
  }
  profile.check_kind(hint);
  return *hint.spec();
}

void check_server_keys(const Snapshot& wanted, const Snapshot& before, const ServerKeys& keys) {
  for (const auto& [name, alias] : wanted.aliases) {
    const Alias* const old = before.find_alias(name);
    if (alias.gives(KeyPackage::hsm_wrapped) &&
        (old == nullptr || !old->gives(KeyPackage::hsm_wrapped)) &&
        !keys.encryption().possible()) {  // asks the token: only who needs to know waits for it
      throw Error(ErrorCode::config, "serverkeygen.hsm_wrapped",
                  "alias \"" + name + "\" gives keys hsm-wrapped, which cannot be done here",
                  keys.refused());
    }
  }
}

crypto::PublicKey stand_in_key(const crypto::KeySpec& spec) {
  static std::shared_mutex mutex;  // guards made
  static std::map<std::string, crypto::PublicKey> made;
  {
    const std::shared_lock lock(mutex);
    const auto found = made.find(spec.name);
    if (found != made.end()) {
      return found->second;
    }
  }
  crypto::PublicKey key = new_stand_in(spec);
  const std::unique_lock lock(mutex);
  return made.try_emplace(spec.name, std::move(key)).first->second;
}

}  // namespace estia::ca
