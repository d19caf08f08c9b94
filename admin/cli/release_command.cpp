// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/release_command.h"

#include <iostream>

#include "admin/cli/certificate_path.h"

namespace estia::admin {

void ReleaseCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<ReleaseCommand>();
  CLI::App* app = estia.add_subcommand("release", "End the hold of a certificate");
  command->target.add_to(*app, false);
  app->add_option("--serial", command->serial, "Serial number in hexadecimal, colons allowed")
      ->required();
  app->footer("Example:\n  estia release --state /var/lib/estia --serial 4f:2a:91");
  app->callback([command] {
    ManagementClient client(command->target.running());
    const Json record = change_certificate(client, command->serial, "release", Json::object());
    std::cout << "released " << record.at("serial").get<std::string>() << "\n";
  });
}

}  // namespace estia::admin
