// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hsm/token.h"

namespace estia::test {

/// A folder with one SoftHSM token (or more) of its own: configuration, objects, PIN files (0600).
/// The token is initialised once per process by the PKCS #11 calls of a child process and copied for
/// each caller, since SoftHSM may lose a token whose login is interrupted: nobody ever works on the
/// master copy. Removed with the object.
///
/// SoftHSM reads SOFTHSM2_CONF once per process: call use() before the first hsm call, and open one
/// TokenDir per process only. Child processes get environment().
class TokenDir final {
 public:
  explicit TokenDir(const std::vector<std::string>& labels);
  ~TokenDir();
  TokenDir(TokenDir&& other) noexcept;
  TokenDir(const TokenDir&) = delete;
  TokenDir& operator=(const TokenDir&) = delete;
  TokenDir& operator=(TokenDir&&) = delete;

  std::filesystem::path folder;
  std::filesystem::path conf;         ///< SOFTHSM2_CONF
  std::filesystem::path tokens;       ///< directories.tokendir
  std::filesystem::path pin_file;     ///< user PIN, the same for each token of the folder
  std::filesystem::path so_pin_file;  ///< SO PIN
  std::filesystem::path module;       ///< absolute path of libsofthsm2.so
  std::string label;                  ///< of the first token

  /// Points this process's SOFTHSM2_CONF here.
  void use() const;
  /// "SOFTHSM2_CONF=...", for a child's environment.
  [[nodiscard]] std::string environment() const { return "SOFTHSM2_CONF=" + conf.string(); }
  /// How to open the (first) token.
  [[nodiscard]] hsm::TokenConfig config() const;
};

/// A folder with one token that has a user PIN.
[[nodiscard]] TokenDir make_token(const std::string& label = "estia-test");
/// A folder with several, for tests of ambiguous names.
[[nodiscard]] TokenDir make_tokens(const std::vector<std::string>& labels);

}  // namespace estia::test
