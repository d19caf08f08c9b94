// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/ca_commands.h"

#include <iostream>

#include "admin/cli/management_client.h"
#include "admin/cli/object_path.h"
#include "admin/cli/record_text.h"
#include "crypto/base/bytes.h"

namespace estia::admin {
namespace {

/// The DER inside one PEM block, of an answer of ours.
std::string der_of(const std::string& pem) {
  const std::size_t begin = pem.find('\n') + 1;
  const Bytes der = base64_decode(pem.substr(begin, pem.find("-----END") - begin));
  return std::string(as_text(der));
}

}  // namespace

void CaListCommand::add_to(CLI::App& ca) {
  auto command = std::make_shared<CaListCommand>();
  CLI::App* app = ca.add_subcommand("list", "Print this server's CAs");
  command->target.add_to(*app, false);
  app->footer("Example:\n  estia ca list --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void CaListCommand::run() const {
  ManagementClient client(target.running());
  const Json cas = client.get("/cas");
  for (const Json& ca : cas.at("cas")) {
    std::cout << row_text(ca, {"name", "subject", "sha256"}) << "\n";
  }
}

void CaShowCommand::add_to(CLI::App& ca) {
  auto command = std::make_shared<CaShowCommand>();
  CLI::App* app = ca.add_subcommand("show", "Print a CA's certificate");
  command->target.add_to(*app, false);
  app->add_option("NAME", command->name, "Which one; see estia ca list")->required();
  CLI::Option* pem = app->add_flag("--pem", command->pem, "Only the certificate, PEM");
  CLI::Option* der = app->add_flag("--der", command->der, "Only the certificate, DER");
  CLI::Option* chain =
      app->add_flag("--chain", command->chain, "It and those above it up to the root, PEM");
  pem->excludes(der)->excludes(chain);
  der->excludes(chain);
  app->footer("Example:\n  estia ca show issuing --state /var/lib/estia --pem >issuing.pem");
  app->callback([command] { command->run(); });
}

void CaShowCommand::run() const {
  const std::string path = object_path("cas", name, "a CA");
  ManagementClient client(target.running());
  Json record = client.get(path);
  if (pem) {
    std::cout << record.at("certificate").get<std::string>();
  } else if (der) {
    std::cout << der_of(record.at("certificate"));
  } else if (chain) {
    std::cout << record.at("chain").get<std::string>();
  } else {
    record.erase("certificate");
    record.erase("chain");
    std::cout << record_text(record);
  }
}

}  // namespace estia::admin
