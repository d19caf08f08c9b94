// SPDX-License-Identifier: Apache-2.0
#include "hsm/token_key.h"

#include <array>
#include <span>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/token_core.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kLongestRaw = 1024;  // RSA-8192

KeyKind kind_of(const crypto::PublicKey& key) {
  if (!key.spec()) {
    throw Error(ErrorCode::config, "token.key_unsupported",
                "the token's key is of a kind or size that is not supported");
  }
  if (!key.spec()->curve_oid.empty()) {
    return KeyKind::ec;
  }
  return key.spec()->name == "Ed25519" ? KeyKind::ed25519 : KeyKind::rsa;
}

std::size_t field_bytes(const crypto::PublicKey& key) {
  return (key.spec()->bits + 7U) / 8U;
}

struct Outcome {
  CK_RV rv = CKR_OK;
  const char* function = "";
  bool before_signing = false;  // nothing was signed yet: another try gives no second signature
  std::size_t size = 0;
};

Outcome sign_once(const Module& module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                  CK_MECHANISM* mechanism, ByteView input, std::span<std::uint8_t> out) {
  CK_RV rv = module->C_SignInit(session, mechanism, key);
  if (rv != CKR_OK) {
    return {rv, "C_SignInit", true, 0};
  }
  CK_ULONG size = out.size();
  rv = module->C_Sign(session, const_cast<CK_BYTE*>(input.data()), input.size(), out.data(), &size);
  return {rv, "C_Sign", classify(rv) == Fault::session_lost, size};
}

/// First rung only: a wrong mechanism or key stays wrong.
bool worth_another_session(const Outcome& outcome) {
  return outcome.before_signing && classify(outcome.rv) != Fault::configuration;
}

}  // namespace

TokenKey::TokenKey(std::shared_ptr<TokenCore> core, KeyHandle token_object,
                   crypto::PublicKey public_half)
    : core_(std::move(core)),
      public_half_(std::move(public_half)),
      kind_(kind_of(public_half_)),
      token_object_(token_object),
      signing_object_{core_->login().copy_or_same(token_object.object), token_object.epoch} {}

TokenKey::~TokenKey() {
  if (signing_object_.object != token_object_.object && signing_object_.epoch == core_->epoch()) {
    const ErrorQueueGuard queue;
    core_->login().destroy(signing_object_.object);
  }
}

std::size_t TokenKey::longest_signature() const noexcept {
  const std::size_t integer = public_half_.spec()->bits / 8U + 1;  // with room for a sign octet
  const std::size_t integers = 2 * (2 + integer);
  switch (kind_) {
    case KeyKind::ec:
      return integers + (integers > 127 ? 3 : 2);
    case KeyKind::ed25519:
      return 64;
    case KeyKind::rsa:
      break;
  }
  return field_bytes(public_half_);
}

Bytes TokenKey::sign(SignMechanism& mechanism, ByteView input) const {
  if (signing_object_.epoch != core_->epoch()) {
    throw Error(ErrorCode::token, "token.handle_stale",
                "the token is not available, try again later", "key handle of an earlier epoch");
  }
  // Of the thread: nobody else ever writes to it, also not a call that returns too late.
  static thread_local std::array<std::uint8_t, kLongestRaw> buffer;
  const ErrorQueueGuard queue;
  SessionPool::Lease lease = core_->pool().borrow();
  for (bool last_try = false;; last_try = true) {
    const Outcome outcome = sign_once(core_->module(), lease.handle(), signing_object_.object,
                                      mechanism.get(), input, buffer);
    if (outcome.rv == CKR_OK && outcome.size <= buffer.size()) {
      return encoded({buffer.data(), outcome.size});
    }
    lease.mark_broken();
    if (last_try || !worth_another_session(outcome)) {
      throw token_error(outcome.rv, outcome.function);
    }
    lease.renew();
  }
}

/// A token's ECDSA is r and s side by side; X.509, CMS and TLS carry a SEQUENCE.
Bytes TokenKey::encoded(ByteView raw) const {
  const std::size_t field = field_bytes(public_half_);
  const std::size_t expected = kind_ == KeyKind::rsa ? field : 2 * field;
  if (raw.size() != expected) {
    throw Error(ErrorCode::token, "token.signature_malformed",
                "the token is not available, try again later",
                "a signature of " + std::to_string(raw.size()) + " bytes in place of " +
                    std::to_string(expected));
  }
  if (kind_ != KeyKind::ec) {
    return {raw.begin(), raw.end()};
  }
  return der::sequence({der::integer(raw.first(field)), der::integer(raw.subspan(field))});
}

}  // namespace estia::hsm
