// SPDX-License-Identifier: Apache-2.0
#include "bench/bare_keys.h"

#include <algorithm>
#include <stdexcept>

#include "hsm/ckr.h"

namespace estia::bench {
namespace {

constexpr std::size_t kLongestWrapped = 8192;  // as hsm::KeyWrapper

const hsm::WrapMechanism& mechanism_of(const std::string& name) {
  const auto known = hsm::WrapMechanism::known();
  const auto found =
      std::ranges::find_if(known, [&](const auto& mechanism) { return mechanism.name == name; });
  if (found == known.end()) {
    throw std::runtime_error("the token lets no keys out: " + name);
  }
  return *found;
}

}  // namespace

BareKeys::BareKeys(const hsm::TokenConfig& config, const std::string& mechanism)
    : core_(config),
      attached_(core_.attachment()),
      session_(attached_->pool().borrow()),
      key_(attached_, hsm::WrappingKey::make_transport()),
      mechanism_(mechanism_of(mechanism)),
      iv_(mechanism_.reading == hsm::WrapReading::cbc_pkcs7 ? hsm::kWrapIvSize : 0),
      wrapped_(kLongestWrapped) {}

hsm::SessionPair BareKeys::generate(Kind& kind) const {
  hsm::SessionPair pair;
  hsm::check(attached_->module()->C_GenerateKeyPair(
                 session_.handle(), &kind.mechanism, kind.public_wanted.data(),
                 kind.public_wanted.size(), kind.private_wanted.data(), kind.private_wanted.size(),
                 &pair.public_object, &pair.private_object),
             "C_GenerateKeyPair");
  return pair;
}

void BareKeys::wrap_and_destroy(const hsm::SessionPair& pair) {
  const hsm::Module& module = attached_->module();
  CK_MECHANISM call{mechanism_.type, iv_.empty() ? nullptr : iv_.data(), iv_.size()};
  CK_ULONG size = wrapped_.size();
  hsm::check(module->C_WrapKey(session_.handle(), &call, key_.object(), pair.private_object,
                               wrapped_.data(), &size),
             "C_WrapKey");
  hsm::check(module->C_DestroyObject(session_.handle(), pair.private_object), "C_DestroyObject");
  hsm::check(module->C_DestroyObject(session_.handle(), pair.public_object), "C_DestroyObject");
}

}  // namespace estia::bench
