// SPDX-License-Identifier: Apache-2.0
#include "hsm/provider_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"
#include "hsm/attachment.h"

namespace estia::hsm {
namespace {

constexpr const char* kName = "pkcs11";

/// What the provider is told in place of a configuration file: OpenSSL 3.0 has no call that hands
/// settings to one provider.
struct Settings {
  std::string module;
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
                 // It would lend a session again in which a signature failed, and some modules go
                 // on with that one there for ever (CKR_OPERATION_ACTIVE).
                 say("pkcs11-module-cache-sessions", "0") &&
                 // C_Finalize would end the sessions of everybody in this process.
                 say("pkcs11-module-quirks", "no-deinit")
             ? 1
             : 0;
}

/// Of all that this provider tells. Each provider that is loaded has the next number from OpenSSL,
/// which keeps eight bits of it: after some fifty contexts they are those of its own libraries.
int error_library() {
  static const int number = ::ERR_get_next_error_library();
  return number;
}

void set_error(const OSSL_CORE_HANDLE* /*handle*/, std::uint32_t reason, const char* format,
               va_list arguments) {
  const int library = ERR_GET_LIB(reason);  // of OpenSSL's own errors
  ::ERR_vset_error(library == 0 ? error_library() : library, ERR_GET_REASON(reason), format,
                   arguments);
}

/// They would replace OpenSSL's own once the numbers are the same.
const OSSL_DISPATCH* without_texts_of_errors(const OSSL_DISPATCH* functions) {
  static const std::vector<OSSL_DISPATCH> kept = [&] {
    std::vector<OSSL_DISPATCH> all;
    for (; functions->function_id != 0; ++functions) {
      if (functions->function_id != OSSL_FUNC_PROVIDER_GET_REASON_STRINGS) {
        all.push_back(*functions);
      }
    }
    all.push_back({0, nullptr});
    return all;
  }();
  return kept.data();  // those of one library: the same each time
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
    } else if (core->function_id == OSSL_FUNC_CORE_VSET_ERROR) {
      static_cast<void>(error_library());  // the first, while there are others
      changed.back().function = reinterpret_cast<void (*)()>(set_error);
    }
  }
  changed.push_back({0, nullptr});
  if (settings->init(handle, changed.data(), functions, context) != 1) {
    return 0;
  }
  *functions = without_texts_of_errors(*functions);
  return 1;
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
    const Secret pin = offer->pin.read();
    const auto most = static_cast<std::size_t>(std::max(::UI_get_result_maxsize(wanted), 0));
    if (pin.size() > most) {  // the token would see a part of it, if anything
      offer->most = most;
      return 0;
    }
    offer->marker.begin_attempt(offer->serial);
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

}  // namespace

/// What one context has in OpenSSL.
struct ProviderLibrary::Holdings {
  OSSL_LIB_CTX* context = crypto::require(::OSSL_LIB_CTX_new(), "OSSL_LIB_CTX_new");
  OSSL_PROVIDER* standard = nullptr;
  OSSL_PROVIDER* pkcs11 = nullptr;
  std::mutex mutex;  ///< guards keys
  std::unordered_set<EVP_PKEY*> keys;

  /// Nobody uses any of it any more. The provider goes only after as many unloads as there were
  /// loads.
  void free() noexcept {
    for (EVP_PKEY* key : keys) {
      ::EVP_PKEY_free(key);
    }
    keys.clear();
    for (OSSL_PROVIDER* each : {std::exchange(pkcs11, nullptr), std::exchange(standard, nullptr)}) {
      if (each != nullptr) {
        static_cast<void>(::OSSL_PROVIDER_unload(each));
      }
    }
    ::OSSL_LIB_CTX_free(std::exchange(context, nullptr));
  }
};

ProviderLibrary::ProviderLibrary(Init init, const std::filesystem::path& module,
                                 const Attachment& attached, std::size_t operations)
    : module_(attached.module()),
      generation_(attached.generation()),
      token_(attached.slot().token),
      holdings_(std::make_shared<Holdings>()),
      ending_(module_.at_end([holdings = holdings_] { holdings->free(); })),
      free_(static_cast<std::ptrdiff_t>(operations)) {
  Settings told{module.string(), init, nullptr};
  settings = &told;
  Holdings& made = *holdings_;
  made.standard = ::OSSL_PROVIDER_load(made.context, "default");
  const bool loaded = made.standard != nullptr &&
                      ::OSSL_PROVIDER_add_builtin(made.context, kName, initialise) == 1 &&
                      (made.pkcs11 = ::OSSL_PROVIDER_load(made.context, kName)) != nullptr;
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

void ProviderLibrary::free_all() noexcept {
  module_.not_at_end(ending_);
  holdings_->free();
}

OSSL_LIB_CTX* ProviderLibrary::get() const noexcept {
  return holdings_->context;
}

void ProviderLibrary::Release::operator()(EVP_PKEY* key) const noexcept {
  const ErrorQueueGuard queue;
  use_if_current(library->module_, library->generation_, [&] {
    Holdings& from = *library->holdings_;
    {
      const std::scoped_lock lock(from.mutex);
      from.keys.erase(key);
    }
    ::EVP_PKEY_free(key);
  });
}

ProviderLibrary::Key ProviderLibrary::load(const KeyUri& uri, PinOffer& offer) const {
  KeyUri here = KeyUri::for_object(token_.label, uri.object(), uri.id());
  if (!token_.serial.empty()) {
    here = here.with_serial(token_.serial);
  }
  const std::string text = here.text() + ";type=private";
  const std::unique_ptr<OSSL_STORE_CTX, int (*)(OSSL_STORE_CTX*)> store(
      ::OSSL_STORE_open_ex(text.c_str(), get(), "provider=pkcs11", pin_method(), &offer, nullptr,
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
  const std::scoped_lock lock(holdings_->mutex);
  holdings_->keys.insert(key.get());
  return {key.release(), Release{this}};
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
