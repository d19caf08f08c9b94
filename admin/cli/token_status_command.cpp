// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/token_status_command.h"

#include <iostream>

#include "admin/cli/record_text.h"

namespace estia::admin {

void TokenStatusCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenStatusCommand>();
  CLI::App* app = token.add_subcommand(
      "status", "Print what the running estiad knows about its token: login, sessions, keys");
  command->target.add_to(*app, false);
  app->add_flag("--json", command->json, "As JSON");
  app->footer("Example:\n  estia token status --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenStatusCommand::run() const {
  constexpr int kIndent = 2;
  ManagementClient client(target.running());
  const Json token = client.get("/status").at("token");
  std::cout << (json ? token.dump(kIndent) + "\n" : record_text(token));
}

}  // namespace estia::admin
