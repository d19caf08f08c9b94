// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/entity_commands.h"

#include <iostream>

#include "admin/cli/record_text.h"

namespace estia::admin {
namespace {

constexpr int kIndent = 2;

void print(const Json& record, bool json) {
  std::cout << (json ? record.dump(kIndent) + "\n" : record_text(record));
}

}  // namespace

void EntityAddCommand::add_to(CLI::App& entity) {
  auto command = std::make_shared<EntityAddCommand>();
  CLI::App* app = entity.add_subcommand(
      "add", "Register an end entity, for aliases in client mode; it enrols with a code");
  command->target.add_to(*app, false);
  app->add_option("--username", command->username, "What it is known by, once for all CAs")
      ->required();
  app->add_option("--ca", command->ca, "CA that issues its certificates")->required();
  app->add_option("--end-entity-profile", command->end_entity_profile, "Rules for its names")
      ->required();
  app->add_option("--certificate-profile", command->certificate_profile,
                  "Contents of its certificates")
      ->required();
  app->add_option("--subject", command->subject, "Subject, such as 'CN=device-7,O=Acme'")
      ->required();
  app->add_option("--san", command->san,
                  "Alternative name, such as dns:device-7.acme.example; may be repeated");
  app->footer(
      "Example:\n  estia entity add --state /var/lib/estia --username device-7 --ca issuing \\\n"
      "    --end-entity-profile device --certificate-profile device --subject CN=device-7");
  app->callback([command] { command->run(); });
}

void EntityAddCommand::run() const {
  ManagementClient client(target.running());
  const Json added = client.send("POST", "/entities",
                                 {{"username", username},
                                  {"ca", ca},
                                  {"end_entity_profile", end_entity_profile},
                                  {"certificate_profile", certificate_profile},
                                  {"subject", subject},
                                  {"san", san}});
  print(added, false);
}

void EntityCommand::add_to(CLI::App& entity) {
  const auto add = [&](const char* verb, const char* description) {
    auto command = std::make_shared<EntityCommand>();
    CLI::App* app = entity.add_subcommand(verb, description);
    command->target.add_to(*app, false);
    app->add_option("--username", command->username, "Which one")->required();
    app->add_flag("--json", command->json, "As JSON");
    app->footer(std::string("Example:\n  estia entity ") + verb +
                " --state /var/lib/estia --username device-7");
    app->callback([command, name = std::string(verb)] { command->run(name); });
  };
  add("show", "Print an end entity and what its codes are still good for");
  add("disable", "Give an end entity nothing until it is enabled again");
  add("enable", "Undo disable");
}

void EntityCommand::run(const std::string& verb) const {
  ManagementClient client(target.running());
  print(client.send("POST", "/entities/" + verb, {{"username", username}}), json);
}

void EntityListCommand::add_to(CLI::App& entity) {
  auto command = std::make_shared<EntityListCommand>();
  CLI::App* app = entity.add_subcommand("list", "Print every end entity, ordered by username");
  command->target.add_to(*app, false);
  app->add_flag("--json", command->json, "A JSON object a line");
  app->footer("Example:\n  estia entity list --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void EntityListCommand::run() const {
  ManagementClient client(target.running());
  for (Json after = ""; !after.is_null();) {
    const Json page = client.send("POST", "/entities/list", {{"after", after}});
    for (const Json& entity : page.at("entities")) {
      std::cout << (json ? entity.dump() : row_text(entity, {"username", "ca", "subject"})) << "\n";
    }
    after = page.at("next");
  }
}

}  // namespace estia::admin
