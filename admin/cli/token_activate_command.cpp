// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/token_activate_command.h"

#include <iostream>
#include <utility>

#include "admin/cli/management_client.h"
#include "admin/cli/record_text.h"
#include "crypto/base/pin_file.h"
#include "crypto/base/secret_prompt.h"

namespace estia::admin {

void TokenActivateCommand::add_to(CLI::App& token, ActivateStopped stopped) {
  auto command = std::make_shared<TokenActivateCommand>();
  CLI::App* app =
      token.add_subcommand("activate", "Log in once more, after the token refused estiad's PIN");
  command->target.add_to(*app, true);
  app->add_option("--token", command->token,
                  "Its name in the process configuration; needed where that names several")
      ->type_name("NAME");
  app->add_option("--pin-file", command->pin_file,
                  "File of mode 0600 with the PIN, for a token whose PIN is in no file of estiad's")
      ->type_name("FILE");
  app->add_flag("--ask-pin", command->ask_pin, "Ask for that PIN on the terminal")
      ->excludes("--pin-file");
  app->footer(
      "A running estiad is told to. For one that is stopped this command logs in and out again;\n"
      "where the token takes the PIN estiad may be started.\n"
      "Example:\n  estia token activate --state /var/lib/estia");
  app->callback([command, stopped = std::move(stopped)] { command->run(stopped); });
}

std::optional<Secret> TokenActivateCommand::pin() const {
  if (!pin_file.empty()) {
    return read_pin_file(pin_file);
  }
  if (!ask_pin) {
    return std::nullopt;
  }
  SecretPrompt prompt;
  if (!prompt.possible()) {
    throw CLI::ValidationError("--ask-pin", "nobody can be asked here: give --pin-file");
  }
  return prompt.ask("PIN of the token " + (token.empty() ? "main" : token));
}

void TokenActivateCommand::run(const ActivateStopped& stopped) const {
  if (const auto state = target.stopped()) {
    stopped(*state, token, [&] { return pin(); });
    return;
  }
  ManagementClient client(target.running());
  Json order = Json::object();
  if (!token.empty()) {
    order["token"] = token;
  }
  if (const std::optional<Secret> brought = pin()) {
    order["pin"] = std::string(brought->text());
  }
  std::cout << record_text(client.send("POST", "/token/activate", order));
  if (order.contains("pin")) {
    cleanse(order["pin"].get_ref<std::string&>());
  }
}

}  // namespace estia::admin
