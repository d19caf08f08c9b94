// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/support/child.h"
#include "tests/support/scratch_directory.h"

namespace estia::e2e {

/// A SoftHSM token of its own and a CA in it, made by the real `estia init`, in a directory that
/// goes with this object. Every file that a program of ours may write lies below it.
class Installation final {
 public:
  /// `init_arguments` are given to `estia init` as well.
  explicit Installation(const std::string& ra_scope = "any",
                        const std::vector<std::string>& init_arguments = {});

  [[nodiscard]] const std::filesystem::path& directory() const { return scratch_.path(); }
  [[nodiscard]] std::filesystem::path state() const { return directory() / "state"; }
  [[nodiscard]] std::filesystem::path ca_bundle() const { return state() / "ca-bundle.pem"; }
  [[nodiscard]] const std::vector<std::string>& environment() const { return environment_; }
  /// "NAME=value" for every program of ours that starts from now on.
  void add_environment(const std::string& setting) { environment_.push_back(setting); }
  /// Another PKCS #11 module in front of the same token, for every `estiad` from now on.
  void replace_module(const std::filesystem::path& module) const;
  /// Lines for the section [token] of estia.toml.
  void add_to_token(const std::string& lines) const;
  [[nodiscard]] std::string user() const;
  [[nodiscard]] std::string password() const;
  [[nodiscard]] std::string pin() const { return kPin; }
  [[nodiscard]] std::filesystem::path pin_file() const { return directory() / "pin"; }
  [[nodiscard]] std::string token_label() const { return kLabel; }

  /// `estia ARGUMENTS...` with this token's environment.
  [[nodiscard]] Finished estia(const std::vector<std::string>& arguments) const;
  /// serverkeygen for the alias est, with these packages, as the configuration lists them.
  void allow_serverkeygen(const std::string& packages = "[\"pkcs8\"]") const;
  /// One value from the store, read while no daemon runs.
  [[nodiscard]] std::string query(const std::string& sql) const;
  /// Changes the store behind its back.
  void tamper(const std::string& sql) const;

 private:
  static constexpr const char* kPin = "pin-canary-7351";
  static constexpr const char* kLabel = "estia-e2e";

  test::ScratchDirectory scratch_;
  std::vector<std::string> environment_;
};

[[nodiscard]] std::string program(const std::string& name);
[[nodiscard]] std::string softhsm_module();

}  // namespace estia::e2e
