// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/token_activate_command.h"

#include <iostream>

#include "admin/cli/management_client.h"
#include "admin/cli/record_text.h"

namespace estia::admin {

void TokenActivateCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenActivateCommand>();
  CLI::App* app = token.add_subcommand(
      "activate", "Let the running estiad log in again, after the token refused its PIN");
  command->target.add_to(*app, false);
  app->footer("Example:\n  estia token activate --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenActivateCommand::run() const {
  ManagementClient client(target.running());
  std::cout << record_text(client.send("POST", "/token/activate", Json::object()));
}

}  // namespace estia::admin
