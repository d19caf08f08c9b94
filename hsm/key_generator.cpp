// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "hsm/ckr.h"
#include "hsm/key_store.h"
#include "hsm/key_templates.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kIdSize = 16;

Template public_template(const crypto::KeySpec& spec, const std::string& label, const Bytes& id) {
  Template wanted;
  wanted.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, false).text(CKA_LABEL, label).bytes(CKA_ID, id);
  wanted.flag(CKA_VERIFY, true).flag(CKA_ENCRYPT, false).flag(CKA_WRAP, false);
  add_kind(wanted, spec);
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
