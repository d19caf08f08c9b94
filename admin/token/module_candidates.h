// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace estia::admin {

/// A PKCS#11 module that this machine may have, and who says so.
struct ModuleCandidate {
  std::filesystem::path path{};
  std::string named_by{};  ///< p11-kit's file, or "well-known path"
};

/// The modules that p11-kit's module configuration files (pkcs11.conf(5), "module:") in these
/// folders name, in the order of the files' names; a relative one is in `module_folder`. Files that
/// cannot be read and remote modules name none.
[[nodiscard]] std::vector<ModuleCandidate> named_by_p11_kit(
    std::span<const std::filesystem::path> folders, const std::filesystem::path& module_folder);

/// Those that p11-kit names on this machine, then those at paths that Debian's packages and makers
/// of HSMs use, where such a file exists; each library once. Without p11-kit's proxy, which loads
/// all of the others. Loads nothing.
[[nodiscard]] std::vector<ModuleCandidate> modules_of_this_machine();

}  // namespace estia::admin
