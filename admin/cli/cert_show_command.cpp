// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/cert_show_command.h"

#include <iostream>

#include "admin/cli/certificate_path.h"
#include "admin/cli/record_text.h"

namespace estia::admin {

void CertShowCommand::add_to(CLI::App& cert) {
  auto command = std::make_shared<CertShowCommand>();
  CLI::App* app = cert.add_subcommand("show", "Print what is recorded about a certificate");
  command->target.add_to(*app, false);
  app->add_option("--serial", command->serial, "Serial number in hexadecimal, colons allowed")
      ->required();
  app->add_flag("--json", command->json, "As JSON");
  app->footer("Example:\n  estia cert show --state /var/lib/estia --serial 4f:2a:91");
  app->callback([command] { command->run(); });
}

void CertShowCommand::run() const {
  constexpr int kIndent = 2;
  ManagementClient client(target.running());
  Json record = client.get(certificate_path(serial));
  if (json) {
    std::cout << record.dump(kIndent) << "\n";
    return;
  }
  const Json pem = record.at("certificate");
  record.erase("certificate");
  std::cout << record_text(record) << (pem.is_string() ? pem.get<std::string>() : "");
}

}  // namespace estia::admin
