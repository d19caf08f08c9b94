// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/config_diff_command.h"

#include <iostream>

#include "crypto/base/file.h"

namespace estia::admin {

void ConfigDiffCommand::add_to(CLI::App& config, OpenOffline offline) {
  auto command = std::make_shared<ConfigDiffCommand>();
  CLI::App* app = config.add_subcommand(
      "diff", "Print how a file differs from the configuration in force; nothing if it does not");
  app->add_option("file", command->file, "The run-time configuration (TOML)")->required();
  command->target.add_to(*app, true);
  app->footer("Example:\n  estia config diff ca.toml --state /var/lib/estia");
  app->callback([command, offline = std::move(offline)] { command->run(offline); });
}

void ConfigDiffCommand::run(const OpenOffline& offline) const {
  constexpr std::size_t kLargest = 4U << 20U;
  const std::unique_ptr<Backend> backend = target.backend(offline);
  const std::string diff = backend->check(read_file(file, kLargest), file.string()).diff;
  if (!diff.empty()) {
    std::cout << "--- in force\n+++ " << file.string() << "\n" << diff;
  }
}

}  // namespace estia::admin
