// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/hold_command.h"

#include <iostream>

#include "admin/cli/certificate_path.h"

namespace estia::admin {

void HoldCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<HoldCommand>();
  CLI::App* app =
      estia.add_subcommand("hold", "Refuse a certificate until it is released (certificateHold)");
  command->target.add_to(*app, false);
  app->add_option("--serial", command->serial, "Serial number in hexadecimal, colons allowed")
      ->required();
  app->footer("Example:\n  estia hold --state /var/lib/estia --serial 4f:2a:91");
  app->callback([command] {
    ManagementClient client(command->target.running());
    const Json record = change_certificate(client, command->serial, "hold", Json::object());
    std::cout << "on hold " << record.at("serial").get<std::string>() << "\n";
  });
}

}  // namespace estia::admin
