// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_wrapper.h"

#include <algorithm>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/exported_key.h"
#include "hsm/oaep_wrap.h"
#include "hsm/objects.h"
#include "hsm/secret_key.h"
#include "hsm/token_core.h"

namespace estia::hsm {
namespace {

constexpr const char* kProbeKind = "P-256";
constexpr const char* kEd25519 = "Ed25519";

/// What the token says no to, as far as its answer tells: some have no better one than a general
/// failure.
bool is_refusal(const Error& error) {
  return error.id() == "token.unsupported" || error.id() == "token.failed" ||
         error.id().starts_with("token.wrap_") || error.id() == "token.public_key_invalid" ||
         error.id() == "serverkeygen.unsupported";
}

const char* name_of(WrappingKeyOrigin origin) {
  return origin == WrappingKeyOrigin::token ? "made in the token" : "imported";
}

}  // namespace

void refuse_export(const std::string& kind, const std::string& why) {
  throw Error(ErrorCode::conflict, "serverkeygen.unsupported",
              "this server cannot make keys of the kind " + kind, why);
}

KeyWrapper::KeyWrapper(std::shared_ptr<TokenCore> core) : core_(std::move(core)) {
  try {
    key_ = std::make_unique<const WrappingKey>(core_);
  } catch (const Error& error) {
    if (!is_refusal(error)) {
      throw;
    }
    note("the wrapping key", error.detail());
    return;
  }
  status_.wrapping_key = name_of(key_->origin());
  status_.refused = key_->refused();
  probe();
  probe_encryption();
}

void KeyWrapper::probe() {
  for (const WrapMechanism& mechanism : WrapMechanism::known()) {
    if (try_kind(mechanism, crypto::KeySpec::parse(kProbeKind))) {
      mechanism_ = &mechanism;
      status_.mechanism = mechanism.name;
      status_.ed25519 = try_kind(mechanism, crypto::KeySpec::parse(kEd25519));
      return;
    }
  }
}

/// By what clients know how to read: RFC 5649's key wrap, and CBC, for which they need nothing but
/// ordinary CMS.
void KeyWrapper::probe_encryption() {
  if (mechanism_ == nullptr || key_->oaep_digests().empty()) {
    return;
  }
  for (const WrapMechanism& mechanism : WrapMechanism::known()) {
    if (mechanism.reading == WrapReading::cbc_pkcs7 &&
        (mechanism_ == &mechanism || try_kind(mechanism, crypto::KeySpec::parse(kProbeKind)))) {
      cbc_ = &mechanism;
    }
  }
  for (const auto cipher :
       {crypto::TokenCipher::aes256_cbc, crypto::TokenCipher::aes256_wrap_pad}) {
    if (mechanism_of(cipher) != nullptr) {
      status_.encryption.ciphers.push_back(cipher);
    }
  }
  status_.encryption.oaep_digests = key_->oaep_digests();
}

const WrapMechanism* KeyWrapper::mechanism_of(crypto::TokenCipher cipher) const noexcept {
  if (cipher == crypto::TokenCipher::aes256_cbc) {
    return cbc_;
  }
  return mechanism_ != nullptr && mechanism_->reading == WrapReading::rfc5649 ? mechanism_
                                                                              : nullptr;
}

/// In a session of its own each time: one that saw a failure is not used again.
bool KeyWrapper::try_kind(const WrapMechanism& mechanism, const crypto::KeySpec& spec) {
  const ErrorQueueGuard queue;
  const Module& module = core_->module();
  SessionPool::Lease lease = core_->pool().borrow();
  try {
    PairGuard guard(module, lease, make_session_pair(module, lease.handle(), spec));
    ++status_.pairs_tried;
    const auto public_key = Objects(module, lease.handle()).public_key(guard.pair().public_object);
    const SecureBytes exported = wrap_with(mechanism, lease.handle(), guard.pair().private_object);
    static_cast<void>(exact_pkcs8(exported.view(), public_key));
    guard.destroy();
    return true;
  } catch (const Error& error) {
    lease.mark_broken();
    if (!is_refusal(error)) {
      throw;
    }
    note(std::string(mechanism.name) + ", " + spec.name, error.detail());
    return false;
  }
}

void KeyWrapper::note(const std::string& what, const std::string& why) {
  status_.refused += (status_.refused.empty() ? "" : "; ") + what + ": " + why;
}

bool KeyWrapper::can_export(const crypto::KeySpec& spec) const noexcept {
  return mechanism_ != nullptr && (spec.name != kEd25519 || status_.ed25519);
}

SecureBytes KeyWrapper::wrap_with(const WrapMechanism& mechanism, CK_SESSION_HANDLE session,
                                  CK_OBJECT_HANDLE private_object) const {
  const WrappedKey wrapped =
      wrap(mechanism, core_->module(), session, key_->object(), private_object);
  return unwrap(mechanism.reading, key_->value(), wrapped.iv, wrapped.content);
}

SecureBytes KeyWrapper::export_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private_object,
                                   const crypto::PublicKey& public_key) const {
  if (mechanism_ == nullptr || !public_key.spec()) {
    refuse_export("unknown", status_.refused);
  }
  try {
    const SecureBytes exported = wrap_with(*mechanism_, session, private_object);
    return exact_pkcs8(exported.view(), public_key);
  } catch (const Error& error) {
    if (error.id() == "token.unsupported") {
      refuse_export(public_key.spec()->name, error.detail());
    }
    throw;
  }
}

crypto::TokenEncryptedKey KeyWrapper::encrypt_key(CK_SESSION_HANDLE session,
                                                  CK_OBJECT_HANDLE private_object,
                                                  const crypto::KeySpec& spec,
                                                  const crypto::TokenRecipient& recipient) const {
  const WrapMechanism* const mechanism = mechanism_of(recipient.cipher);
  const auto& digests = status_.encryption.oaep_digests;
  if (mechanism == nullptr || std::ranges::find(digests, recipient.oaep_digest) == digests.end()) {
    refuse_export(spec.name, "the token does not encrypt keys so: " + status_.refused);
  }
  const Module& module = core_->module();
  try {
    SessionObject content_key = make_wrapping_secret(module, session);
    Bytes for_recipient =
        oaep_wrap(module, session, content_key.handle(), recipient.key, recipient.oaep_digest);
    WrappedKey wrapped = wrap(*mechanism, module, session, content_key.handle(), private_object);
    content_key.destroy();
    return {.content_key = std::move(for_recipient),
            .iv = std::move(wrapped.iv),
            .content = std::move(wrapped.content)};
  } catch (const Error& error) {
    if (error.id() == "token.unsupported") {
      refuse_export(spec.name, error.detail());
    }
    throw;
  }
}

}  // namespace estia::hsm
