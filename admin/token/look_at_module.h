// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace estia::admin {

/// Whether what a module says is shown, on standard error.
enum class ModuleNoise { shown, hidden };

/// {path, loadable, trouble, library, slots} of a module, as docs/cli.md lists them. It is loaded
/// by a child process, so that one that hangs, crashes or talks harms nobody else: `loadable` is
/// false then, and `trouble` says why. The calling process has one thread. Throws Error{internal,
/// "token.look"} where no process can be made.
[[nodiscard]] nlohmann::ordered_json look_at_module(const std::filesystem::path& module,
                                                    const std::string& init_args, ModuleNoise noise,
                                                    std::chrono::milliseconds limit);

}  // namespace estia::admin
