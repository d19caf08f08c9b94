// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/revoke_command.h"

#include <iostream>

namespace estia::admin {

void RevokeCommand::add_to(CLI::App& estia, OpenOffline offline) {
  auto command = std::make_shared<RevokeCommand>();
  CLI::App* app = estia.add_subcommand("revoke", "Revoke a certificate; there is no way back");
  command->target.add_to(*app, true);
  app->add_option("--serial", command->serial, "Serial number in hexadecimal, colons allowed")
      ->required();
  app->add_option("--reason", command->reason, "Reason by its name in RFC 5280 5.3.1")
      ->capture_default_str();
  app->footer(
      "Example:\n  estia revoke --state /var/lib/estia --serial 4f:2a:91 --reason keyCompromise");
  app->callback([command, offline = std::move(offline)] {
    const std::string revoked =
        command->target.backend(offline)->revoke(command->serial, command->reason);
    std::cout << "revoked " << revoked << " (" << command->reason << ")\n";
  });
}

}  // namespace estia::admin
