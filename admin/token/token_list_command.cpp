// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_list_command.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include "admin/token/token_admin.h"

namespace estia::admin {
namespace {

/// What a token says of itself goes to a terminal: no control characters.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  return text;
}

std::string state_of(const TokenSummary& token) {
  if (!token.initialised) {
    return "free";
  }
  return token.user_pin_set ? "ready" : "no user PIN";
}

}  // namespace

void TokenListCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenListCommand>();
  CLI::App* app = token.add_subcommand("list", "List the tokens of a PKCS#11 module");
  app->add_option("--module", command->module, "PKCS#11 module, a shared library")
      ->required()
      ->check(CLI::ExistingFile);
  app->footer("Example:\n  estia token list --module /usr/lib/softhsm/libsofthsm2.so");
  app->callback([command] { command->run(); });
}

void TokenListCommand::run() const {
  for (const TokenSummary& token : list_tokens(std::filesystem::absolute(module))) {
    std::cout << state_of(token) << "\tlabel=" << printable(token.label)
              << "\tserial=" << printable(token.serial) << "\tmodel=" << printable(token.model)
              << "\tmanufacturer=" << printable(token.manufacturer) << "\n";
  }
}

}  // namespace estia::admin
