// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/revoke_command.h"

#include <iostream>
#include <memory>

#include "admin/offline/misuse.h"
#include "admin/offline/open_state.h"
#include "server/provision/revoke.h"

namespace estia::admin {

void RevokeCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<RevokeCommand>();
  CLI::App* app = estia.add_subcommand("revoke", "Revoke a certificate; there is no way back");
  app->add_option("--state", command->state, "State directory; estiad must be stopped")->required();
  app->add_option("--serial", command->serial, "Serial number in hexadecimal, colons allowed")
      ->required();
  app->add_option("--reason", command->reason, "Reason by its name in RFC 5280 5.3.1")
      ->capture_default_str();
  app->footer(
      "Example:\n  estia revoke --state /var/lib/estia --serial 4f:2a:91 --reason keyCompromise");
  app->callback([command] { command->run(); });
}

void RevokeCommand::run() const {
  const Bytes octets = as_option("--serial", [&] { return provision::parse_serial(serial); });
  const int code = as_option("--reason", [&] { return provision::parse_reason(reason); });
  OpenState open(state);
  provision::revoke(open.store().registry(), open.clock(), operator_name(), octets, code);
  std::cout << "revoked " << to_hex(octets) << " (" << reason << ")\n";
}

}  // namespace estia::admin
