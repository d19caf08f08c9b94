// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/tls_commands.h"

#include <iostream>

#include "admin/cli/management_client.h"
#include "admin/cli/record_text.h"

namespace estia::admin {

void TlsCommand::add_to(CLI::App& tls) {
  auto show = std::make_shared<TlsCommand>();
  CLI::App* app = tls.add_subcommand("show", "Print the certificate that EST clients are shown");
  show->target.add_to(*app, false);
  app->footer("Example:\n  estia tls show --state /var/lib/estia");
  app->callback([show] {
    ManagementClient client(show->target.running());
    std::cout << record_text(client.get("/tls"));
  });
  auto reload = std::make_shared<TlsCommand>();
  app = tls.add_subcommand("reload", "Read the listener's key and certificates again");
  reload->target.add_to(*app, false);
  app->footer("Example:\n  estia tls reload --state /var/lib/estia");
  app->callback([reload] {
    ManagementClient client(reload->target.running());
    const Json shown = client.send("POST", "/tls/reload", Json::object());
    std::cout << "shown from now on: " << shown.at("subject").get<std::string>() << ", SHA-256 "
              << shown.at("sha256").get<std::string>() << ", until "
              << shown.at("not_after").get<std::string>() << "\n";
  });
}

}  // namespace estia::admin
