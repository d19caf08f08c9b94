// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "hsm/key_templates.h"
#include "hsm/session_pair.h"
#include "hsm/token_core.h"
#include "hsm/wrap_mechanism.h"
#include "hsm/wrapping_key.h"

namespace estia::bench {

/// The PKCS #11 calls that a key for a client cannot do without, in one session that stays open,
/// and nothing of ours around them: no second look at the key, no unwrapping. One thread.
class BareKeys final {
 public:
  /// What is prepared before the clock starts.
  struct Kind {
    explicit Kind(const crypto::KeySpec& spec)
        : mechanism{hsm::generation_mechanism(spec), nullptr, 0},
          public_wanted(hsm::exportable_public(spec, {})),
          private_wanted(hsm::exportable_private({})) {}
    CK_MECHANISM mechanism;
    hsm::Template public_wanted;
    hsm::Template private_wanted;
  };

  /// In a login of the same process that others may share. `mechanism` is a name of
  /// WrapMechanism::known(); else std::runtime_error. Throws Error{token}.
  BareKeys(const hsm::TokenConfig& config, const std::string& mechanism);

  /// C_GenerateKeyPair. Throws Error{token}.
  [[nodiscard]] hsm::SessionPair generate(Kind& kind) const;
  /// C_WrapKey, then C_DestroyObject for both. Throws Error{token}.
  void wrap_and_destroy(const hsm::SessionPair& pair);

 private:
  const hsm::TokenCore core_;
  const std::shared_ptr<hsm::Attachment> attached_;
  const hsm::SessionPool::Lease session_;
  const hsm::WrappingKey key_;
  const hsm::WrapMechanism& mechanism_;
  Bytes iv_;
  Bytes wrapped_;
};

}  // namespace estia::bench
