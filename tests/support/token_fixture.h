// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hsm/token.h"
#include "tests/support/scratch_directory.h"

namespace estia::test {

/// A folder with SoftHSM tokens of its own: configuration, objects, PIN files (0600). Made by a
/// child process through the PKCS #11 calls, with random PINs that stand in no argument list. Each
/// caller gets new tokens, since SoftHSM may lose one whose login is interrupted. Removed with the
/// object.
///
/// SoftHSM reads SOFTHSM2_CONF once per process: call use() before the first hsm call, and use one
/// TokenDir per process only. Child processes get environment().
class TokenDir final {
 public:
  explicit TokenDir(const std::vector<std::string>& labels);

 private:
  std::unique_ptr<ScratchDirectory> scratch_;

 public:
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
