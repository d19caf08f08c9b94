// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace estia::provision {

/// Where everything of one CA lies below its state directory (mode 0700). One place for the names,
/// so that daemon, commands and manual agree.
class StateLayout final {
 public:
  /// Makes the path absolute; touches nothing.
  explicit StateLayout(const std::filesystem::path& directory);

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
  /// The process configuration.
  [[nodiscard]] std::filesystem::path configuration() const { return directory_ / "estia.toml"; }
  [[nodiscard]] std::filesystem::path store() const { return directory_ / "estia.db"; }
  [[nodiscard]] std::filesystem::path lock() const { return directory_ / "lock"; }
  [[nodiscard]] std::filesystem::path tls_directory() const { return directory_ / "tls"; }
  /// PKCS#8, mode 0600.
  [[nodiscard]] std::filesystem::path tls_key() const { return tls_directory() / "server.key"; }
  /// The server's certificate, then the issuing CA's.
  [[nodiscard]] std::filesystem::path tls_chain() const { return tls_directory() / "server.pem"; }
  /// What clients trust: the root's certificate, then the issuing CA's.
  [[nodiscard]] std::filesystem::path ca_bundle() const { return directory_ / "ca-bundle.pem"; }
  /// One line each, mode 0600: the first account, which is a registration authority.
  [[nodiscard]] std::filesystem::path account_user() const {
    return directory_ / "ra-account.user";
  }
  [[nodiscard]] std::filesystem::path account_password() const {
    return directory_ / "ra-account.password";
  }

 private:
  std::filesystem::path directory_;
};

/// Exclusive use of a state directory (D1): estiad holds one while it runs, each offline command
/// for as long as it works. Released by the kernel if the process dies.
class StateLock final {
 public:
  /// Throws Error{conflict, "state.locked"} when another process holds it, Error{config,
  /// "state.missing"} when the directory was never initialised, Error{store, "state.io"}.
  explicit StateLock(const StateLayout& layout);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
  StateLock(StateLock&&) = delete;
  StateLock& operator=(StateLock&&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace estia::provision
