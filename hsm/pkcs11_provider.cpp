// SPDX-License-Identifier: Apache-2.0
#include "hsm/pkcs11_provider.h"

#include <dlfcn.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/openssl/require.h"
#include "hsm/attachment.h"
#include "hsm/logins.h"
#include "hsm/slots.h"
#include "hsm/turn.h"

namespace estia::hsm {
namespace {

constexpr const char* kName = "pkcs11";
constexpr std::chrono::seconds kBetweenLibraries{10};

/// What the provider is told in place of a configuration file: OpenSSL 3.0 has no call that hands
/// settings to one provider.
struct Settings {
  std::string module;
  std::string sessions;
  ProviderLibrary::Init init;
  OSSL_FUNC_core_get_params_fn* core_get_params;
};

/// Of the thread that loads the provider: it asks while it is being initialised, and never again.
thread_local Settings* settings = nullptr;

int answer_settings(const OSSL_CORE_HANDLE* handle, OSSL_PARAM parameters[]) {
  if (settings == nullptr || settings->core_get_params(handle, parameters) != 1) {
    return 0;
  }
  const auto say = [&](const char* name, const char* value) {
    OSSL_PARAM* wanted = ::OSSL_PARAM_locate(parameters, name);
    return wanted == nullptr || ::OSSL_PARAM_set_utf8_ptr(wanted, value) == 1;
  };
  return say("pkcs11-module-path", settings->module.c_str()) &&
                 say("pkcs11-module-cache-sessions", settings->sessions.c_str()) &&
                 // C_Finalize would end the sessions of everybody in this process.
                 say("pkcs11-module-quirks", "no-deinit")
             ? 1
             : 0;
}

int initialise(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* core,
               const OSSL_DISPATCH** functions, void** context) {
  if (settings == nullptr) {
    return 0;
  }
  std::vector<OSSL_DISPATCH> changed;
  for (; core->function_id != 0; ++core) {
    changed.push_back(*core);
    if (core->function_id == OSSL_FUNC_CORE_GET_PARAMS) {
      settings->core_get_params = OSSL_FUNC_core_get_params(core);
      changed.back().function = reinterpret_cast<void (*)()>(answer_settings);
    }
  }
  changed.push_back({0, nullptr});
  return settings->init(handle, changed.data(), functions, context);
}

[[noreturn]] void unavailable(const std::string& why) {
  throw Error(ErrorCode::config, "token.signing_unavailable",
              "signing = \"pkcs11-provider\" is not possible: " + why);
}

[[noreturn]] void busy(const char* detail) {
  throw Error(ErrorCode::busy, "token.sessions_exhausted", "the token is busy, try again later",
              detail);
}

/// OpenSSL's way of asking: nothing is answered where it may not be, and then nobody logs in.
int answer_pin(UI* ui, UI_STRING* wanted) {
  auto* offer = static_cast<ProviderLibrary::PinOffer*>(::UI_get0_user_data(ui));
  if (::UI_get_string_type(wanted) != UIT_PROMPT) {
    return 1;
  }
  if (offer == nullptr || !offer->allowed || offer->made) {
    return 0;
  }
  try {
    offer->marker.begin_attempt(offer->serial);
    const Secret pin = offer->pin.read();
    offer->made = true;
    return ::UI_set_result_ex(ui, wanted, pin.text().data(), static_cast<int>(pin.size())) == 0 ? 1
                                                                                                : 0;
  } catch (const std::exception&) {
    return 0;  // no PIN, no key: that is what is told
  }
}

const UI_METHOD* pin_method() {
  static const UI_METHOD* const method = [] {
    UI_METHOD* made = crypto::require(::UI_create_method("estia"), "UI_create_method");
    ::UI_method_set_reader(made, answer_pin);
    return made;
  }();
  return method;
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

}  // namespace

CK_ULONG sessions_for_us(Signing signing, CK_ULONG token_limit) noexcept {
  if (signing == Signing::native || token_limit == CK_EFFECTIVELY_INFINITE ||
      token_limit == CK_UNAVAILABLE_INFORMATION || token_limit < 4) {
    return token_limit;
  }
  return 1 + (token_limit - 2) / 2;  // one of each side keeps the login
}

ProviderLibrary::ProviderLibrary(Init init, const std::filesystem::path& module,
                                 const Attachment& attached, std::size_t operations)
    : module_(attached.module()),
      generation_(attached.generation()),
      token_(attached.slot().token),
      context_(crypto::require(::OSSL_LIB_CTX_new(), "OSSL_LIB_CTX_new")),
      free_(static_cast<std::ptrdiff_t>(operations)) {
  Settings told{module.string(), std::to_string(operations), init, nullptr};
  settings = &told;
  default_ = ::OSSL_PROVIDER_load(context_, "default");
  const bool loaded = default_ != nullptr &&
                      ::OSSL_PROVIDER_add_builtin(context_, kName, initialise) == 1 &&
                      (provider_ = ::OSSL_PROVIDER_load(context_, kName)) != nullptr;
  settings = nullptr;
  if (!loaded) {
    const TokenError error = provider_error("pkcs11-provider: OSSL_PROVIDER_load");
    free_all();
    throw TokenError(error);
  }
}

ProviderLibrary::~ProviderLibrary() {
  const ErrorQueueGuard queue;
  use_if_current(module_, generation_, [&] { free_all(); });
}

/// The provider goes only after as many unloads as there were loads.
void ProviderLibrary::free_all() const noexcept {
  for (OSSL_PROVIDER* each : {provider_, default_}) {
    if (each != nullptr) {
      static_cast<void>(::OSSL_PROVIDER_unload(each));
    }
  }
  ::OSSL_LIB_CTX_free(context_);
}

void ProviderLibrary::release(crypto::EvpPkeyPtr key) const noexcept {
  const ErrorQueueGuard queue;
  EVP_PKEY* const released = key.release();  // left as it is, like the context
  use_if_current(module_, generation_, [&] { ::EVP_PKEY_free(released); });
}

crypto::EvpPkeyPtr ProviderLibrary::load(const KeyUri& uri, PinOffer& offer) const {
  KeyUri here = KeyUri::for_object(token_.label, uri.object(), uri.id());
  if (!token_.serial.empty()) {
    here = here.with_serial(token_.serial);
  }
  const std::string text = here.text() + ";type=private";
  const std::unique_ptr<OSSL_STORE_CTX, int (*)(OSSL_STORE_CTX*)> store(
      ::OSSL_STORE_open_ex(text.c_str(), context_, "provider=pkcs11", pin_method(), &offer, nullptr,
                           nullptr, nullptr),
      ::OSSL_STORE_close);
  crypto::EvpPkeyPtr key;
  while (store && !key && ::OSSL_STORE_eof(store.get()) != 1) {
    const std::unique_ptr<OSSL_STORE_INFO, void (*)(OSSL_STORE_INFO*)> found(
        ::OSSL_STORE_load(store.get()), ::OSSL_STORE_INFO_free);
    if (!found) {
      break;
    }
    key.reset(::OSSL_STORE_INFO_get1_PKEY(found.get()));
  }
  if (!key) {
    throw provider_error("pkcs11-provider: OSSL_STORE_load");
  }
  return key;
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
  auto made =
      std::make_shared<const ProviderLibrary>(init_, module_, attached, attached.most_sessions());
  std::shared_ptr<const ProviderLibrary> old;  // goes without the lock
  const std::scoped_lock lock(mutex_);
  old = std::exchange(last_, made);
  return made;
}

bool Pkcs11Provider::give_up_library(const Attachment& attached) {
  constexpr unsigned kMostGivenUp = 2;
  std::shared_ptr<const ProviderLibrary> old;  // goes without the lock
  const std::scoped_lock lock(mutex_);
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

crypto::EvpPkeyPtr Pkcs11Provider::load(const ProviderLibrary& library, const Attachment& attached,
                                        const KeyUri& uri) {
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
    crypto::EvpPkeyPtr key = library.load(uri, offer);
    if (offer.made) {
      marker_.end_attempt();
    }
    return key;
  } catch (const Error& error) {
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
    return;  // it says nothing now: before the next attempt
  }
  if (!*refused) {
    marker_.end_attempt();
    return;
  }
  const std::string not_noted = note_refused_pin(pin_, marker_, attached.slot().token.serial);
  if (!is_refused_pin(error) || !not_noted.empty()) {
    throw token_error(CKR_PIN_INCORRECT, error.detail() + not_noted);
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

TokenError provider_error(const char* function) {
  CK_RV rv = CKR_GENERAL_ERROR;
  bool told = false;
  while (const unsigned long error = ::ERR_get_error()) {
    // Providers' errors have numbers that OpenSSL gives out from here on.
    if (ERR_GET_LIB(error) < ERR_LIB_USER || ERR_GET_REASON(error) == 0) {
      continue;
    }
    const auto said = static_cast<CK_RV>(ERR_GET_REASON(error));
    if (!told || classify(said) == Fault::pin) {  // what follows from a refused PIN matters less
      rv = said;
      told = true;
    }
  }
  return token_error(rv, function);
}

}  // namespace estia::hsm
