// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_wrapper.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/exported_key.h"
#include "hsm/oaep_wrap.h"
#include "hsm/objects.h"
#include "hsm/secret_key.h"

namespace estia::hsm {
namespace {

/// RSA where the token makes no pairs on curves: a search for primes at each login.
constexpr std::array<const char*, 2> kProbeKinds{"P-256", "RSA-2048"};
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

[[noreturn]] void refuse_encryption(const std::string& why) {
  throw Error(ErrorCode::conflict, "serverkeygen.unsupported",
              "this server cannot encrypt keys inside its token so", why);
}

/// Both halves: the public key was read by its handle, too.
void require_id(const Objects& objects, const SessionPair& pair) {
  for (const CK_OBJECT_HANDLE half : {pair.private_object, pair.public_object}) {
    if (!std::ranges::equal(objects.bytes(half, CKA_ID).value_or(Bytes()), pair.id)) {
      throw token_unavailable("token.wrap_mismatch",
                              "a handle names another object than the pair that was made");
    }
  }
}

}  // namespace

void refuse_export(const std::string& kind, const std::string& why) {
  throw Error(ErrorCode::conflict, "serverkeygen.unsupported",
              "this server cannot make keys of the kind " + kind, why);
}

KeyWrapper::KeyWrapper(std::shared_ptr<Attachment> attached) : attached_(std::move(attached)) {
  const crypto::PrivateKey transport = WrappingKey::make_transport();
  const Module::Use in_use(attached_->module(), attached_->generation());
  try {
    key_ = std::make_unique<const WrappingKey>(attached_, transport);
  } catch (const Error& error) {
    if (!is_refusal(error)) {
      throw;
    }
    note("the wrapping key", error);
    return;
  }
  status_.wrapping_key = name_of(key_->origin());
  status_.refused = key_->refused();
  probe();
  probe_encryption();
  status_.doubtful = status_.doubtful && mechanism_ == nullptr;
}

void KeyWrapper::probe() {
  for (const char* kind : kProbeKinds) {
    probe_kind_ = crypto::KeySpec::parse(kind);
    const std::size_t before = status_.pairs_tried;
    for (const WrapMechanism& mechanism : WrapMechanism::known()) {
      if (try_kind(mechanism, *probe_kind_)) {
        mechanism_ = &mechanism;
        status_.mechanism = mechanism.name;
        status_.ed25519 = try_kind(mechanism, crypto::KeySpec::parse(kEd25519));
        return;
      }
      if (status_.pairs_tried == before) {
        break;  // it makes none of that kind
      }
    }
    if (status_.pairs_tried > before) {
      return;  // it makes them, and lets none out
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
        (mechanism_ == &mechanism || try_kind(mechanism, *probe_kind_))) {
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
  const Module& module = attached_->module();
  SessionPool::Lease lease = attached_->pool().borrow();
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
    note(std::string(mechanism.name) + ", " + spec.name, error);
    return false;
  }
}

void KeyWrapper::note(const std::string& what, const Error& error) {
  status_.refused += (status_.refused.empty() ? "" : "; ") + what + ": " + error.detail();
  status_.doubtful = status_.doubtful || error.id() == "token.failed";
}

bool KeyWrapper::can_export(const crypto::KeySpec& spec) const noexcept {
  if (spec.name == kEd25519) {
    return mechanism_ != nullptr && status_.ed25519;
  }
  const bool curves = probe_kind_ && !probe_kind_->curve_oid.empty();
  return mechanism_ != nullptr && (curves || spec.curve_oid.empty());
}

SecureBytes KeyWrapper::wrap_with(const WrapMechanism& mechanism, CK_SESSION_HANDLE session,
                                  CK_OBJECT_HANDLE private_object) const {
  const WrappedKey wrapped =
      wrap(mechanism, attached_->module(), session, key_->object(), private_object);
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

KeyWrapper::ContentKey KeyWrapper::make_content_key(CK_SESSION_HANDLE session,
                                                    const crypto::TokenRecipient& recipient) const {
  const WrapMechanism* const mechanism = mechanism_of(recipient.cipher);
  const auto& digests = status_.encryption.oaep_digests;
  if (mechanism == nullptr || std::ranges::find(digests, recipient.oaep_digest) == digests.end()) {
    refuse_encryption(status_.refused);
  }
  try {
    SessionObject object = make_wrapping_secret(attached_->module(), session);
    Bytes encrypted = oaep_wrap(attached_->module(), session, object.handle(), recipient.key,
                                recipient.oaep_digest);
    return {std::move(object), std::move(encrypted), *mechanism};
  } catch (const Error& error) {
    if (error.id() == "token.unsupported") {
      refuse_encryption(error.detail());
    }
    throw;
  }
}

crypto::TokenEncryptedKey KeyWrapper::encrypt_key(CK_SESSION_HANDLE session,
                                                  const SessionPair& pair,
                                                  const crypto::KeySpec& spec,
                                                  ContentKey& content_key) const {
  const Objects objects(attached_->module(), session);
  try {
    require_id(objects, pair);
    WrappedKey wrapped = wrap(content_key.mechanism_, attached_->module(), session,
                              content_key.object_.handle(), pair.private_object);
    require_id(objects, pair);
    content_key.object_.destroy();
    return {.content_key = content_key.encrypted_,
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
