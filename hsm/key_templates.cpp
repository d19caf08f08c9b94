// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_templates.h"

#include <array>

#include "crypto/base/der.h"

namespace estia::hsm {
namespace {

constexpr std::array<std::uint8_t, 3> kPublicExponent = {0x01, 0x00, 0x01};

}  // namespace

CK_MECHANISM_TYPE generation_mechanism(const crypto::KeySpec& spec) {
  if (!spec.curve_oid.empty()) {
    return CKM_EC_KEY_PAIR_GEN;
  }
  return spec.name == "Ed25519" ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN;
}

void add_kind(Template& wanted, const crypto::KeySpec& spec) {
  if (generation_mechanism(spec) == CKM_RSA_PKCS_KEY_PAIR_GEN) {
    wanted.number(CKA_MODULUS_BITS, spec.bits).bytes(CKA_PUBLIC_EXPONENT, kPublicExponent);
  } else {
    const std::string& oid = spec.curve_oid.empty() ? spec.algorithm_oid : spec.curve_oid;
    wanted.bytes(CKA_EC_PARAMS, der::oid(oid));
  }
}

Template exportable_public(const crypto::KeySpec& spec, ByteView id) {
  Template wanted;
  wanted.bytes(CKA_ID, id);
  wanted.flag(CKA_TOKEN, false).flag(CKA_PRIVATE, false);
  wanted.flag(CKA_VERIFY, false).flag(CKA_ENCRYPT, false).flag(CKA_WRAP, false);
  add_kind(wanted, spec);
  return wanted;
}

/// Every usage is stated: tokens' defaults are generous.
Template exportable_private(ByteView id) {
  Template wanted;
  wanted.bytes(CKA_ID, id);
  wanted.flag(CKA_TOKEN, false).flag(CKA_PRIVATE, true);
  wanted.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, true);
  wanted.flag(CKA_SIGN, false).flag(CKA_SIGN_RECOVER, false).flag(CKA_DECRYPT, false);
  wanted.flag(CKA_UNWRAP, false).flag(CKA_DERIVE, false);
  return wanted;
}

}  // namespace estia::hsm
