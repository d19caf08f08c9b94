// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "crypto/base/secret.h"

namespace estia::hsm {

/// A PIN that an operator has brought, for the logins of this process. Any thread.
class HeldPin final {
 public:
  void take(Secret pin);
  /// The token refused it: nobody tries it again.
  void forget();
  /// Throws Error{token, "token.pin_awaited"} while there is none.
  [[nodiscard]] Secret read() const;

 private:
  mutable std::mutex mutex_;
  std::optional<Secret> pin_{};
};

/// Where a PIN comes from: one of these. Only a held one stays in memory between logins.
struct PinSource {
  std::filesystem::path file;  ///< only its owner can read it (0600)
  /// Name of a file in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=).
  std::string credential{};
  std::shared_ptr<HeldPin> held{};

  /// The PIN, one line end removed. Throws Error{config, "file...."} for a file that others can
  /// read, that is missing, empty or more than a line (read_pin_file): some modules take an empty
  /// PIN for "already logged in" (CVE-2023-40660); Error{config, "token.no_credentials"} without
  /// that directory; HeldPin::read. Called once per login. Any thread.
  [[nodiscard]] Secret read() const;
};

}  // namespace estia::hsm
