// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/core.h>
#include <openssl/types.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>

#include "hsm/ckr.h"
#include "hsm/key_uri.h"
#include "hsm/module.h"
#include "hsm/pin_marker.h"
#include "hsm/token.h"

namespace estia::hsm {

class Attachment;

/// An OpenSSL library context with pkcs11-provider in it, for one generation of a module. It goes
/// with its last user, or when the module is restarted: then nobody may use it any more, and what
/// is left of it does nothing. Any thread.
class ProviderLibrary final {
  struct Holdings;

 public:
  using Init = int (*)(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH**,
                       void**);

  /// `operations` at once, each in a session of its own. Call it, and use what it gives,
  /// under a Module::Use. Throws Error{token}.
  ProviderLibrary(Init init, const std::filesystem::path& module, const Attachment& attached,
                  std::size_t operations);
  /// The provider, kept from C_Finalize, does not close its sessions: they end with the process, or
  /// with the next restart of the module.
  ~ProviderLibrary();
  ProviderLibrary(const ProviderLibrary&) = delete;
  ProviderLibrary& operator=(const ProviderLibrary&) = delete;
  ProviderLibrary(ProviderLibrary&&) = delete;
  ProviderLibrary& operator=(ProviderLibrary&&) = delete;

  /// What answers where the provider wants to log in.
  struct PinOffer {
    const PinSource& pin;
    const PinMarker& marker;
    const std::string& serial;
    bool allowed;
    bool made = false;
    /// Bytes of a PIN that the provider takes: this one is longer, and was not told.
    std::optional<std::size_t> most{};
  };

  /// Frees a key with its copy in the token; not after a restart of the module, which has done so.
  struct Release {
    const ProviderLibrary* library;
    void operator()(EVP_PKEY* key) const noexcept;
  };
  /// Not to outlive the library.
  using Key = std::unique_ptr<EVP_PKEY, Release>;

  /// The private key of that name in the token that is attached. Throws Error{token}.
  [[nodiscard]] Key load(const KeyUri& uri, PinOffer& offer) const;

  [[nodiscard]] OSSL_LIB_CTX* get() const noexcept;
  [[nodiscard]] Module::Generation generation() const noexcept { return generation_; }
  /// Of those who may call the token.
  [[nodiscard]] std::counting_semaphore<>& free() const noexcept { return free_; }
  void note_signature() const noexcept { signed_.store(true); }
  [[nodiscard]] bool has_signed() const noexcept { return signed_.load(); }

 private:
  void free_all() noexcept;

  const Module& module_;  ///< kept until the process ends
  const Module::Generation generation_;
  const TokenInfo token_;
  const std::shared_ptr<Holdings> holdings_;  ///< shared with the module, for its end
  const Module::Endings::iterator ending_;
  mutable std::counting_semaphore<> free_;
  mutable std::atomic<bool> signed_{false};
};

/// What the provider left in this thread's error queue, which is empty afterwards: the module's
/// return value where it is there.
[[nodiscard]] TokenError provider_error(const char* function);

}  // namespace estia::hsm
