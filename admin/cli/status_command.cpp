// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/status_command.h"

#include <iostream>

#include "admin/cli/record_text.h"

namespace estia::admin {

void StatusCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<StatusCommand>();
  CLI::App* app =
      estia.add_subcommand("status", "Print what the running estiad tells about itself");
  command->target.add_to(*app, false);
  app->add_flag("--json", command->json, "As JSON");
  app->footer("Example:\n  estia status --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void StatusCommand::run() const {
  constexpr int kIndent = 2;
  ManagementClient client(target.running());
  const Json status = client.get("/status");
  std::cout << (json ? status.dump(kIndent) + "\n" : record_text(status));
}

}  // namespace estia::admin
