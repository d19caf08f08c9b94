// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/config_export_command.h"

#include <iostream>
#include <memory>

#include "admin/offline/open_state.h"
#include "server/provision/apply.h"

namespace estia::admin {

void ConfigExportCommand::add_to(CLI::App& config) {
  auto command = std::make_shared<ConfigExportCommand>();
  CLI::App* app =
      config.add_subcommand("export", "Print the run-time configuration, without passwords");
  app->add_option("--state", command->state, "State directory; estiad must be stopped")->required();
  app->footer("Example:\n  estia config export --state /var/lib/estia >ca.toml");
  app->callback([command] { command->run(); });
}

void ConfigExportCommand::run() const {
  OpenState open(state);
  std::cout << provision::export_configuration(open.store().configuration()).document;
}

}  // namespace estia::admin
