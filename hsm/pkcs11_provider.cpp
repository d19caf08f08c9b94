// SPDX-License-Identifier: Apache-2.0
#include "hsm/pkcs11_provider.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ui.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/logins.h"
#include "hsm/slots.h"
#include "hsm/turn.h"

namespace estia::hsm {
namespace {

constexpr std::chrono::seconds kBetweenLibraries{10};

[[noreturn]] void unavailable(const std::string& why) {
  throw Error(ErrorCode::config, "token.signing_unavailable",
              "signing = \"pkcs11-provider\" is not possible: " + why);
}

[[noreturn]] void busy(const char* detail) {
  throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
              detail);
}

ProviderLibrary::Init find_provider() {
  const std::string path = std::string(::OPENSSL_info(OPENSSL_INFO_MODULES_DIR)) + "/pkcs11.so";
  // Never unloaded: what it made may outlive any order of destruction.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    unavailable("the package pkcs11-provider is not installed (" + path + ")");
  }
  const auto init = reinterpret_cast<ProviderLibrary::Init>(::dlsym(library, "OSSL_provider_init"));
  if (init == nullptr) {
    unavailable(path + " is no OpenSSL provider");
  }
  return init;
}

/// Whether the token has the sessions that the provider begins with. It asks for each again for a
/// second, several times over, and does not say then what was the matter.
bool has_room(const Attachment& attached) {
  const Module& module = attached.module();
  std::array<CK_SESSION_HANDLE, 2> opened{};
  std::size_t count = 0;
  CK_RV rv = CKR_OK;
  while (rv == CKR_OK && count < opened.size()) {
    rv = module->C_OpenSession(attached.slot().id, CKF_SERIAL_SESSION, nullptr, nullptr,
                               &opened[count]);
    count += rv == CKR_OK ? 1 : 0;
  }
  while (count > 0) {
    static_cast<void>(module->C_CloseSession(opened[--count]));
  }
  return rv != CKR_SESSION_COUNT;  // of anything else the provider is told, too
}

}  // namespace

CK_ULONG sessions_for_us(Signing signing, CK_ULONG token_limit) {
  constexpr CK_ULONG kLeast = 4;  // one of each side keeps the login
  if (signing == Signing::native || token_limit == CK_EFFECTIVELY_INFINITE ||
      token_limit == CK_UNAVAILABLE_INFORMATION) {
    return token_limit;
  }
  if (token_limit < kLeast) {
    throw Error(ErrorCode::config, "token.signing_sessions",
                "signing = \"pkcs11-provider\" needs a token of " + std::to_string(kLeast) +
                    " sessions, and this one has " + std::to_string(token_limit));
  }
  return 1 + (token_limit - 2) / 2;
}

void require_functions(Signing signing, const Module& module) {
  if (signing == Signing::native) {
    return;
  }
  std::string absent;
  for (const char* function :
       {"C_GetInfo", "C_GetSlotInfo", "C_GetMechanismList", "C_GetMechanismInfo",
        "C_GetSessionInfo", "C_CopyObject", "C_GenerateRandom"}) {
    if (!module.has(function)) {
      absent.append(absent.empty() ? "" : ", ").append(function);
    }
  }
  if (!absent.empty()) {
    unavailable("the module has no " + absent);
  }
}

Pkcs11Provider::Pkcs11Provider(const TokenConfig& config, ProviderLibrary::Init init)
    : module_(config.module),
      pin_(config.pin),
      marker_(config.pin_marker),
      wait_(config.session_wait),
      init_(init) {}

std::shared_ptr<Pkcs11Provider> Pkcs11Provider::wanted_by(const TokenConfig& config) {
  if (config.signing == Signing::native) {
    return nullptr;
  }
#ifdef ESTIA_WITHOUT_PKCS11_PROVIDER
  unavailable("this program was built without it, for a sanitizer");
#endif
  if (std::getenv("PKCS11_PROVIDER_MODULE") != nullptr) {
    unavailable("PKCS11_PROVIDER_MODULE is set, and would replace token.module");
  }
  static const ProviderLibrary::Init init = find_provider();
  // It asks for a PIN with the method of the process where nobody is logged in any more.
  ::UI_set_default_method(::UI_null());
  return std::shared_ptr<Pkcs11Provider>(new Pkcs11Provider(config, init));
}

std::shared_ptr<const ProviderLibrary> Pkcs11Provider::known_in(const Attachment& attached) const {
  const std::scoped_lock lock(mutex_);
  return last_ && last_->generation() == attached.generation() ? last_ : nullptr;
}

std::shared_ptr<const ProviderLibrary> Pkcs11Provider::library_in(const Attachment& attached) {
  if (auto known = known_in(attached)) {
    return known;
  }
  const Turn turn(making_, wait_);
  if (!turn.mine()) {
    busy("pkcs11-provider is still being loaded");
  }
  if (auto known = known_in(attached)) {
    return known;
  }
  if (!has_room(attached)) {
    refuse_for_want_of_sessions(attached);
  }
  auto made =
      std::make_shared<const ProviderLibrary>(init_, module_, attached, attached.most_sessions());
  std::shared_ptr<const ProviderLibrary> old;  // goes without the lock
  const std::scoped_lock lock(mutex_);
  old = std::exchange(last_, made);
  return made;
}

/// Those of a library that was given up come back with a restart only.
void Pkcs11Provider::refuse_for_want_of_sessions(const Attachment& attached) const {
  const std::scoped_lock lock(mutex_);
  if (given_up_ > 0 && given_up_in_ == attached.generation()) {
    throw token_error(CKR_CRYPTOKI_NOT_INITIALIZED,
                      "the sessions of another pkcs11-provider are the token's last");
  }
  busy("pkcs11-provider needs two sessions, and the token has no more");
}

bool Pkcs11Provider::give_up_library(const Attachment& attached) {
  constexpr unsigned kMostGivenUp = 2;
  std::shared_ptr<const ProviderLibrary> old;  // goes without the lock
  const std::scoped_lock lock(mutex_);
  if (last_ && last_->has_signed()) {
    return true;
  }
  if (std::exchange(given_up_in_, attached.generation()) != attached.generation()) {
    given_up_ = 0;
  }
  if (given_up_ >= kMostGivenUp) {
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_give_up_) {
    next_give_up_ = now + kBetweenLibraries;
    old = std::move(last_);
    ++given_up_;
  }
  return true;
}

ProviderLibrary::Key Pkcs11Provider::load(const ProviderLibrary& library,
                                          const Attachment& attached, const KeyUri& uri) {
  const Turn turn(loading_, wait_);
  if (!turn.mine()) {
    busy("another key is still being loaded");
  }
  const std::string& serial = attached.slot().token.serial;
  const bool refused = marker_.refused(serial).has_value();
  ProviderLibrary::PinOffer offer{.pin = pin_,
                                  .marker = marker_,
                                  .serial = serial,
                                  .allowed = !refused && doubted_ != attached.epoch()};
  try {
    ProviderLibrary::Key key = library.load(uri, offer);
    if (offer.made) {
      marker_.end_attempt();
    }
    return key;
  } catch (const Error& error) {
    if (offer.most) {
      throw token_unavailable("token.pin_too_long",
                              "pkcs11-provider takes a PIN of " + std::to_string(*offer.most) +
                                  " bytes at most where the module gives it a login of its own");
    }
    if (offer.made) {
      doubted_ = attached.epoch();
      settle(attached, error);
    }
    throw;
  }
}

/// After an attempt without a key. Throws the refusal, unless `error` is one.
void Pkcs11Provider::settle(const Attachment& attached, const Error& error) const {
  const std::optional<bool> refused = was_refused(attached, error);
  if (!refused) {
    marker_.answer_attempt(attached.slot().token.serial);  // it says nothing now
    return;
  }
  if (!*refused) {
    marker_.end_attempt();
    return;
  }
  note_refused_pin_or_throw(pin_, marker_, attached.slot().token.serial, error.detail());
  if (!is_refused_pin(error)) {
    throw token_error(CKR_PIN_INCORRECT, error.detail());
  }
}

/// The file may have been changed since our own login. nullopt: the token does not answer.
std::optional<bool> Pkcs11Provider::was_refused(const Attachment& attached,
                                                const Error& error) noexcept {
  try {
    return is_refused_pin(error) ||
           counts_wrong_pins(read_slot(attached.module(), attached.slot().id).token);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace estia::hsm
