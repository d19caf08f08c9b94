// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {

/// An operator with a property dump of EJBCA's aliases: plant (codes in challengePassword), plant.7
/// (RA mode, an account), plant.http, plant.dn, plant.vendor, and bare, which says nearly nothing.
class EjbcaSite : public ManagedSite {
 protected:
  static constexpr const char* kPassword = "line-7-password-0123456789abcdef";
  /// What the dump refers to by --map and estia init does not make.
  [[nodiscard]] static std::string profiles();

  /// `estia alias import-ejbca` with every --map that the dump needs.
  [[nodiscard]] Finished import(const std::vector<std::string>& more) const;
  /// What the operator does about the account: a password file, and the comment's signs away.
  [[nodiscard]] std::string with_account(std::string toml) const;
  [[nodiscard]] Answer enroll(const std::string& alias, const Device& device,
                              const std::vector<std::string>& credentials = {}) const;
  /// The username on record for what was issued; the status of anything else.
  [[nodiscard]] std::string username_after(const Answer& answer) const;
  /// Registers an end entity and returns its code.
  [[nodiscard]] std::string code_for(const std::string& name,
                                     const std::string& profile = "device") const;
};

}  // namespace estia::e2e
