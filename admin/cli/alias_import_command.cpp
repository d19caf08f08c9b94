// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/alias_import_command.h"

#include <iostream>

#include "admin/cli/management_client.h"
#include "crypto/base/bytes.h"
#include "crypto/base/file.h"

namespace estia::admin {
namespace {

/// To standard error: standard output is the document.
void report(const Json& answer, const char* list, const char* what) {
  for (const auto& line : answer.at(list).get<std::vector<std::string>>()) {
    std::cerr << what << line << "\n";
  }
}

}  // namespace

void AliasImportCommand::add_to(CLI::App& alias) {
  auto command = std::make_shared<AliasImportCommand>();
  CLI::App* app = alias.add_subcommand(
      "import-ejbca",
      "Print EJBCA's EST aliases as tables for estia apply, and report what was taken");
  app->add_option("file", command->file, "EJBCA's property dump")->required();
  command->target.add_to(*app, false);
  app->add_option(
         "--map", command->maps,
         "What an id of EJBCA is here: ca:ID=NAME, eeprofile:ID=NAME, certprofile:ID=NAME, "
         "vendorca:ID=ANCHOR")
      ->allow_extra_args(false);
  app->add_option("--ra-scope", command->ra_scope,
                  "Names that registration authorities may ask for; needed with accounts");
  app->footer(
      "Example:\n  estia alias import-ejbca est.properties --state /var/lib/estia \\\n"
      "    --map ca:-1234=issuing --map eeprofile:1=device --map certprofile:1=device \\\n"
      "    --ra-scope 'CN=dev-*' >aliases.toml");
  app->callback([command] { command->run(); });
}

void AliasImportCommand::run() const {
  constexpr std::size_t kLargest = 1U << 20U;
  ManagementClient client(target.running());
  const std::string dump = read_file(file, kLargest);
  Json wanted{{"dump", base64_encode(as_bytes(dump))}, {"source", file.string()}, {"maps", maps}};
  if (!ra_scope.empty()) {
    wanted["ra_scope"] = ra_scope;
  }
  const Json answer = client.send("POST", "/ejbca-import", wanted);
  report(answer, "took", "took       ");
  report(answer, "differs", "differs    ");
  report(answer, "not_taken", "not taken  ");
  std::cout << answer.at("toml").get<std::string>();
}

}  // namespace estia::admin
