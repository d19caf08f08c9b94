// SPDX-License-Identifier: Apache-2.0
#include "hsm/pkcs11_provider_key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/openssl/require.h"
#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/token_core.h"
#include "hsm/turn.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

constexpr const char* kProperties = "provider=pkcs11";

[[noreturn]] void busy(const char* detail) {
  throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
              detail);
}

/// One of the calls that the token's session limit leaves room for.
class Permit final {
 public:
  Permit(const ProviderLibrary& library, std::chrono::milliseconds wait) : free_(library.free()) {
    if (!free_.try_acquire_for(wait)) {
      busy("every session that pkcs11-provider may use is in use");
    }
  }
  ~Permit() { free_.release(); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  Permit(Permit&&) = delete;
  Permit& operator=(Permit&&) = delete;

 private:
  std::counting_semaphore<>& free_;
};

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* out = nullptr;
  const int size = ::i2d_PUBKEY(key, &out);
  const crypto::OpenSslPtr<unsigned char> owned(out);
  return size > 0 ? Bytes(out, out + size) : Bytes();
}

}  // namespace

struct Pkcs11ProviderKey::Loaded {
  std::shared_ptr<const ProviderLibrary> library;
  ProviderLibrary::Key key;
  std::uint64_t epoch;
  std::uint64_t doubts;  ///< of TokenKey, when it was found

  Loaded(std::shared_ptr<const ProviderLibrary> from, ProviderLibrary::Key made, std::uint64_t in,
         std::uint64_t known_doubts)
      : library(std::move(from)), key(std::move(made)), epoch(in), doubts(known_doubts) {}

  [[nodiscard]] Bytes sign_hash(const CK_MECHANISM& mechanism, ByteView input,
                                std::size_t longest) const {
    const crypto::EvpPkeyCtxPtr context(
        ::EVP_PKEY_CTX_new_from_pkey(library->get(), key.get(), kProperties));
    Bytes signature(longest);
    std::size_t size = signature.size();
    if (!context || ::EVP_PKEY_sign_init(context.get()) != 1 ||
        !set_padding(context.get(), mechanism) ||
        ::EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(), input.size()) != 1) {
      throw provider_error("pkcs11-provider: EVP_PKEY_sign");
    }
    signature.resize(size);
    return signature;
  }

  [[nodiscard]] Bytes sign_message(ByteView message, std::size_t longest) const {
    const crypto::EvpMdCtxPtr context(crypto::require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
    Bytes signature(longest);
    std::size_t size = signature.size();
    if (::EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, library->get(), kProperties,
                                key.get(), nullptr) != 1 ||
        ::EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
            1) {
      throw provider_error("pkcs11-provider: EVP_DigestSign");
    }
    signature.resize(size);
    return signature;
  }
};

Pkcs11ProviderKey::Pkcs11ProviderKey(std::shared_ptr<TokenCore> core,
                                     std::shared_ptr<Pkcs11Provider> provider,
                                     std::shared_ptr<const TokenKey> key)
    : core_(std::move(core)), provider_(std::move(provider)), key_(std::move(key)) {}

Bytes Pkcs11ProviderKey::sign(SignMechanism& mechanism, ByteView input) const {
  const ErrorQueueGuard queue;
  std::shared_ptr<Attachment> last;
  try {
    const auto trial = [&](const std::shared_ptr<Attachment>& attached) {
      return sign_in_trial(attached, mechanism, input);
    };
    if (auto tried = key_->try_if_due(std::cref(trial))) {
      return std::move(*tried);
    }
    Bytes signature = with_recovery(*core_, [&](const std::shared_ptr<Attachment>& attached) {
      last = attached;
      return sign_or_load_anew(attached, mechanism, input);
    });
    key_->note_success();
    return signature;
  } catch (const TokenError& error) {
    key_->note_failure(error, *last);
    throw refusal_to_sign(error);
  } catch (const Error& error) {
    throw refusal_to_sign(error);
  }
}

Bytes Pkcs11ProviderKey::sign_or_load_anew(const std::shared_ptr<Attachment>& attached,
                                           SignMechanism& mechanism, ByteView input) const {
  constexpr int kTries = 3;
  for (int tried = 1;; ++tried) {
    try {
      return sign_once(attached, mechanism, input);
    } catch (const TokenError& error) {
      if (!attached->login().logged_in()) {
        throw token_error(CKR_USER_NOT_LOGGED_IN, error.detail());
      }
      if (error.fault() == Fault::configuration || error.fault() == Fault::pin) {
        throw;
      }
      if (tried == kTries) {
        throw;
      }
      if (tried == kTries - 1 && !provider_->give_up_library(*attached)) {
        throw token_error(CKR_CRYPTOKI_NOT_INITIALIZED,
                          "pkcs11-provider signs nothing: " + error.detail());
      }
    }
  }
}

/// What it loads is for others, too, once it has signed.
Bytes Pkcs11ProviderKey::sign_in_trial(const std::shared_ptr<Attachment>& attached,
                                       SignMechanism& mechanism, ByteView input) const {
  attached->refuse_if_all_hang();
  const std::uint64_t doubts = key_->doubts();
  static_cast<void>(key_->find_for_trial(attached));
  std::shared_ptr<const Loaded> loaded = load(*attached, doubts);
  Bytes signature = sign_with(*loaded, *attached, mechanism, input);
  const std::scoped_lock lock(mutex_);
  loaded_.swap(loaded);  // the old one is freed after the lock
  return signature;
}

Bytes Pkcs11ProviderKey::sign_once(const std::shared_ptr<Attachment>& attached,
                                   SignMechanism& mechanism, ByteView input) const {
  attached->refuse_if_all_hang();
  const std::shared_ptr<const Loaded> loaded = loaded_in(attached);
  try {
    return sign_with(*loaded, *attached, mechanism, input);
  } catch (const TokenError&) {
    forget(loaded);
    throw;
  }
}

Bytes Pkcs11ProviderKey::sign_with(const Loaded& loaded, Attachment& attached,
                                   SignMechanism& mechanism, ByteView input) const {
  const Module::Use in_use(attached.module(), attached.generation());
  const Permit permit(*loaded.library, provider_->wait());
  const RunningCalls::Call call(attached.calls());
  const auto began = std::chrono::steady_clock::now();
  Bytes signature = kind() == KeyKind::ed25519
                        ? loaded.sign_message(input, longest_signature())
                        : loaded.sign_hash(*mechanism.get(), input, longest_signature());
  attached.statistics().signed_in(std::chrono::steady_clock::now() - began);
  loaded.library->note_signature();
  return signature;
}

std::shared_ptr<const Pkcs11ProviderKey::Loaded> Pkcs11ProviderKey::known_in(
    const Attachment& attached) const {
  const std::scoped_lock lock(mutex_);
  const bool good =
      loaded_ && loaded_->epoch == attached.epoch() && loaded_->doubts == key_->doubts();
  return good ? loaded_ : nullptr;
}

void Pkcs11ProviderKey::forget(const std::shared_ptr<const Loaded>& loaded) const {
  const std::scoped_lock lock(mutex_);
  if (loaded_ == loaded) {
    loaded_.reset();  // `loaded` still holds it: nothing is freed under the lock
  }
}

std::shared_ptr<const Pkcs11ProviderKey::Loaded> Pkcs11ProviderKey::loaded_in(
    const std::shared_ptr<Attachment>& attached) const {
  if (auto known = known_in(*attached)) {
    return known;
  }
  const Turn turn(loading_, provider_->wait());
  if (!turn.mine()) {
    busy("the key is still being looked for");
  }
  if (auto known = known_in(*attached)) {
    return known;
  }
  const RunningCalls::Call call(attached->calls(), RunningCalls::Kind::blocking);
  const std::uint64_t doubts = key_->doubts();
  key_->find_in(attached);
  auto loaded = load(*attached, doubts);
  std::shared_ptr<const Loaded> old;
  const std::scoped_lock lock(mutex_);
  old = std::exchange(loaded_, loaded);
  return loaded;
}

std::shared_ptr<const Pkcs11ProviderKey::Loaded> Pkcs11ProviderKey::load(
    const Attachment& attached, std::uint64_t doubts) const {
  if (!attached.current()) {
    throw token_error(CKR_SESSION_CLOSED, "pkcs11-provider");
  }
  const Module::Use in_use(attached.module(), attached.generation());
  const auto library = provider_->library_in(attached);
  const Permit permit(*library, provider_->wait());
  const RunningCalls::Call call(attached.calls());
  ProviderLibrary::Key key = [&] {
    try {
      return provider_->load(*library, attached, key_->uri());
    } catch (const Error& error) {
      if (is_refused_pin(error)) {
        core_->recovery().pin_was_refused(attached);
      }
      throw;
    }
  }();
  auto loaded = std::make_shared<const Loaded>(library, std::move(key), attached.epoch(), doubts);
  if (spki_of(loaded->key.get()) != public_key().spki()) {
    throw token_unavailable("token.key_changed",
                            "pkcs11-provider has another key of that name: " + key_->uri().text());
  }
  return loaded;
}

}  // namespace estia::hsm
