// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>

#include "hsm/key_uri.h"
#include "hsm/module.h"
#include "hsm/pin_marker.h"
#include "hsm/provider_library.h"
#include "hsm/token.h"

namespace estia::hsm {

class Attachment;

/// Of a token's session limit (0: none), what SessionPool may count on: with pkcs11-provider about
/// half of it, since that one opens sessions of its own. Throws Error{config,
/// "token.signing_sessions"} where the limit is no room for both.
[[nodiscard]] CK_ULONG sessions_for_us(Signing signing, CK_ULONG token_limit);

/// pkcs11-provider loads the module by itself, and would call what is NULL in its list of
/// functions. Throws Error{config, "token.signing_unavailable"}, which names those.
void require_functions(Signing signing, const Module& module);

/// The OpenSSL provider of the package pkcs11-provider over one token: another way to its
/// signatures than ours (D2). It has a library context of its own, and uses our login: the sessions
/// of a process share one. A module that gives each of its users in a process a login of his own
/// (p11-kit-client) is told the PIN once more, while ours holds and never again after a failure:
/// one that is refused is noted as at our own logins. Nobody is asked on a terminal. Any thread.
class Pkcs11Provider final {
 public:
  /// Null for Signing::native. Throws Error{config, "token.signing_unavailable"} if it is not
  /// installed, not in this build, or the environment names another module.
  [[nodiscard]] static std::shared_ptr<Pkcs11Provider> wanted_by(const TokenConfig& config);

  /// The library context for that attachment's generation of the module, made at the first call: a
  /// new login needs no other one, since lost sessions are found out at each use. Call it, and use
  /// what it gives, under a Module::Use. Throws Error{token} and Error{busy,
  /// "token.sessions_exhausted"}.
  [[nodiscard]] std::shared_ptr<const ProviderLibrary> library_in(const Attachment& attached);
  /// The private key of that name. Throws the same, and Error{token, "token.pin_..."} where the
  /// provider's login was refused; Error{token, "token.pin_too_long"} where the provider would cut
  /// the PIN, which the token is not told then.
  [[nodiscard]] ProviderLibrary::Key load(const ProviderLibrary& library,
                                          const Attachment& attached, const KeyUri& uri);
  /// The provider asks about the token once, and goes on with what it was told if that was a fault:
  /// where nothing was signed yet whoever comes next gets another library context. Not more often
  /// than every ten seconds, and twice between two restarts of the module: a session of the last
  /// one stays open until then. False: a restart is due.
  [[nodiscard]] bool give_up_library(const Attachment& attached);
  [[nodiscard]] std::chrono::milliseconds wait() const noexcept { return wait_; }

 private:
  Pkcs11Provider(const TokenConfig& config, ProviderLibrary::Init init);
  [[nodiscard]] std::shared_ptr<const ProviderLibrary> known_in(const Attachment& attached) const;
  void settle(const Attachment& attached, const Error& error) const;
  [[noreturn]] void refuse_for_want_of_sessions(const Attachment& attached) const;
  [[nodiscard]] static std::optional<bool> was_refused(const Attachment& attached,
                                                       const Error& error) noexcept;

  const std::filesystem::path module_;
  const PinSource pin_;
  const PinMarker marker_;
  const std::chrono::milliseconds wait_;
  const ProviderLibrary::Init init_;
  std::binary_semaphore making_{1};   ///< of whoever makes one
  std::binary_semaphore loading_{1};  ///< guards what follows, and is held across calls
  std::uint64_t doubted_ = 0;         ///< the attachment in which a PIN was offered and no key came
  mutable std::mutex mutex_;          ///< guards what follows; not held across a call to the token
  std::shared_ptr<const ProviderLibrary> last_;
  std::chrono::steady_clock::time_point next_give_up_{};
  Module::Generation given_up_in_ = 0;  ///< of the module, so many library contexts
  unsigned given_up_ = 0;
};

}  // namespace estia::hsm
