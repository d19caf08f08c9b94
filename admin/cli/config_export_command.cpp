// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/config_export_command.h"

#include <iostream>

namespace estia::admin {

void ConfigExportCommand::add_to(CLI::App& config, OpenOffline offline) {
  auto command = std::make_shared<ConfigExportCommand>();
  CLI::App* app =
      config.add_subcommand("export", "Print the run-time configuration, without passwords");
  command->target.add_to(*app, true);
  app->footer("Example:\n  estia config export --state /var/lib/estia >ca.toml");
  app->callback([command, offline = std::move(offline)] {
    std::cout << command->target.backend(offline)->exported_configuration();
  });
}

}  // namespace estia::admin
