// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "admin/cli/target.h"

namespace estia::admin {

/// `estia anchor add`: trusts a foreign CA, after its subject and fingerprints were looked at.
struct AnchorAddCommand {
  Target target{};
  std::filesystem::path file{};
  std::string name{};
  std::string revocation{};
  std::vector<std::string> vendor_of{};
  std::vector<std::string> explicit_of{};
  bool yes = false;

  /// Adds the command to `estia anchor`; parsing it runs it.
  static void add_to(CLI::App& anchor);
  void run() const;
};

/// `estia anchor remove`: from the next request on nothing that it issued counts.
struct AnchorRemoveCommand {
  Target target{};
  std::string name{};
  bool yes = false;

  static void add_to(CLI::App& anchor);
  void run() const;
};

/// `estia anchor list`: every anchor, where it counts, and how old its CRLs are.
struct AnchorListCommand {
  Target target{};
  bool json = false;

  static void add_to(CLI::App& anchor);
  void run() const;
};

/// `estia anchor crl`: hands in a CRL of an anchor, or of a CA below it.
struct AnchorCrlCommand {
  Target target{};
  std::string name{};
  std::filesystem::path file{};
  std::filesystem::path issuers{};

  static void add_to(CLI::App& anchor);
  void run() const;
};

}  // namespace estia::admin
