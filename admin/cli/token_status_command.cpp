// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/token_status_command.h"

#include <iostream>
#include <utility>

#include "admin/cli/record_text.h"

namespace estia::admin {

void TokenStatusCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenStatusCommand>();
  CLI::App* app = token.add_subcommand(
      "status", "Print what the running estiad knows about its tokens: login, sessions, keys");
  command->target.add_to(*app, false);
  app->add_flag("--json", command->json, "As JSON");
  app->footer("Example:\n  estia token status --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenStatusCommand::run() const {
  constexpr int kIndent = 2;
  ManagementClient client(target.running());
  const Json tokens = client.get("/status").at("tokens");
  if (json) {
    std::cout << tokens.dump(kIndent) << "\n";
    return;
  }
  const char* between = "";
  for (const Json& token : tokens) {
    std::cout << std::exchange(between, "\n") << record_text(token);
  }
}

}  // namespace estia::admin
