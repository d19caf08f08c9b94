// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "hsm/ckr.h"
#include "hsm/key_store.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kIdSize = 16;
constexpr std::array<std::uint8_t, 3> kPublicExponent = {0x01, 0x00, 0x01};

CK_MECHANISM_TYPE generation_mechanism(const crypto::KeySpec& spec) {
  if (!spec.curve_oid.empty()) {
    return CKM_EC_KEY_PAIR_GEN;
  }
  return spec.name == "Ed25519" ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN;
}

Template public_template(const crypto::KeySpec& spec, const std::string& label, const Bytes& id) {
  Template wanted;
  wanted.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, false).text(CKA_LABEL, label).bytes(CKA_ID, id);
  wanted.flag(CKA_VERIFY, true).flag(CKA_ENCRYPT, false).flag(CKA_WRAP, false);
  if (generation_mechanism(spec) == CKM_RSA_PKCS_KEY_PAIR_GEN) {
    wanted.number(CKA_MODULUS_BITS, spec.bits).bytes(CKA_PUBLIC_EXPONENT, kPublicExponent);
  } else {
    const std::string& oid = spec.curve_oid.empty() ? spec.algorithm_oid : spec.curve_oid;
    wanted.bytes(CKA_EC_PARAMS, der::oid(oid));
  }
  return wanted;
}

/// Every usage is stated: tokens' defaults are generous.
Template private_template(const std::string& label, const Bytes& id) {
  Template wanted;
  wanted.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).text(CKA_LABEL, label).bytes(CKA_ID, id);
  wanted.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
  wanted.flag(CKA_SIGN, true).flag(CKA_SIGN_RECOVER, false).flag(CKA_DECRYPT, false);
  wanted.flag(CKA_UNWRAP, false).flag(CKA_DERIVE, false);
  return wanted;
}

/// Empty if the key is what was asked for.
std::string fault_of(const KeyAttributes& made, const crypto::KeySpec& spec) {
  std::string faults;
  const auto demand = [&](bool holds, const char* what) {
    faults += holds ? "" : std::string(faults.empty() ? "" : ", ") + what;
  };
  demand(made.token, "not a token object");
  demand(made.sensitive && made.always_sensitive, "not always sensitive");
  demand(!made.extractable && made.never_extractable, "extractable");
  demand(made.local, "not generated in the token");
  demand(made.sign, "cannot sign");
  demand(!made.sign_recover && !made.decrypt && !made.unwrap && !made.derive,
         "can do more than sign");
  demand(made.spec == spec, "of another kind");
  return faults;
}

}  // namespace

KeyPair generate_pair(const Module& module, CK_SESSION_HANDLE session, const crypto::KeySpec& spec,
                      const std::string& label) {
  KeyPair pair{.label = label, .id = Bytes(kIdSize)};
  random_fill(pair.id);
  Template public_wanted = public_template(spec, label, pair.id);
  Template private_wanted = private_template(label, pair.id);
  CK_MECHANISM mechanism{generation_mechanism(spec), nullptr, 0};
  check(module->C_GenerateKeyPair(session, &mechanism, public_wanted.data(), public_wanted.size(),
                                  private_wanted.data(), private_wanted.size(), &pair.public_object,
                                  &pair.private_object),
        "C_GenerateKeyPair");
  const Objects objects(module, session);
  std::string fault;
  try {
    fault = fault_of(read_attributes(objects, pair), spec);
  } catch (...) {
    destroy_pair(objects, pair);
    throw;
  }
  if (!fault.empty()) {
    destroy_pair(objects, pair);
    throw Error(ErrorCode::token, "token.key_attributes",
                "the token did not make the key that was asked for", fault);
  }
  return pair;
}

}  // namespace estia::hsm
