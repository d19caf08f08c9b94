// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/code_commands.h"

#include <iostream>

#include "admin/cli/management_client.h"
#include "crypto/base/file.h"

namespace estia::admin {

void CodeNewCommand::add_to(CLI::App& code) {
  auto command = std::make_shared<CodeNewCommand>();
  CLI::App* app = code.add_subcommand(
      "new", "Make an enrolment code for an end entity, in place of its earlier ones");
  command->target.add_to(*app, false);
  app->add_option("--username", command->username, "Whose code")->required();
  app->add_option("--uses", command->uses, "How many certificates it is good for")
      ->capture_default_str();
  app->add_option("--hours", command->hours, "How long it is good; 0: until it is replaced")
      ->capture_default_str()
      ->check(CLI::Range(0, 87600));
  app->add_option("--code-file", command->file,
                  "Write it into this new file of mode 0600, not to standard output");
  app->footer("Example:\n  estia code new --state /var/lib/estia --username device-7 --hours 24");
  app->callback([command] { command->run(); });
}

void CodeNewCommand::run() const {
  constexpr std::uint64_t kSeconds = 3600;
  Json wanted{{"username", username}, {"uses", uses}};
  if (hours != 0) {
    wanted["seconds"] = hours * kSeconds;
  }
  ManagementClient client(target.running());
  // A file that cannot be made must be noticed before the old code is gone.
  if (!file.empty()) {
    write_new_file(file, "", FileMode::secret);
  }
  Json made = [&] {
    try {
      return client.send("POST", "/codes", wanted);
    } catch (...) {
      if (!file.empty()) {
        std::filesystem::remove(file);
      }
      throw;
    }
  }();
  auto& code = made.at("code").get_ref<std::string&>();
  if (file.empty()) {
    std::cout << code << "\n";
  } else {
    replace_file(file, code + "\n", FileMode::secret);
  }
  cleanse(code);
}

void CodeRemoveCommand::add_to(CLI::App& code) {
  auto command = std::make_shared<CodeRemoveCommand>();
  CLI::App* app = code.add_subcommand("remove", "Make every code of an end entity worthless");
  command->target.add_to(*app, false);
  app->add_option("--username", command->username, "Whose codes")->required();
  app->footer("Example:\n  estia code remove --state /var/lib/estia --username device-7");
  app->callback([command] {
    ManagementClient client(command->target.running());
    const Json left = client.send("POST", "/codes/remove", {{"username", command->username}});
    std::cout << "no codes for " << left.at("username").get<std::string>() << "\n";
  });
}

}  // namespace estia::admin
