// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_init_command.h"

#include <iostream>
#include <memory>

#include "admin/cli/confirm.h"
#include "admin/cli/record_text.h"
#include "admin/token/pin_input.h"
#include "admin/token/token_admin.h"
#include "crypto/base/error.h"
#include "crypto/base/stop_signals_held.h"

namespace estia::admin {
namespace {

/// What was in it cannot be got back.
void confirm_erasing(const TokenInitCommand& command) {
  for (const TokenSummary& token :
       list_tokens(std::filesystem::absolute(command.module), command.module_args)) {
    if (token.initialised && token.serial == command.erase) {
      confirm("erase token '" + row_text({{"label", token.label}}, {"label"}) + "', serial " +
                  command.erase + ", with every key and certificate in it, for ever?",
              command.yes);
      return;
    }
  }
  throw Error(ErrorCode::token, "token.not_found",
              "the module shows no initialised token with serial " + command.erase);
}

}  // namespace

void TokenInitCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenInitCommand>();
  CLI::App* app = token.add_subcommand(
      "init", "Initialise a free token of a PKCS#11 module: label, SO PIN and user PIN");
  app->add_option("--module", command->module, "PKCS#11 module, a shared library")
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--module-args", command->module_args,
                  "What the module is initialised with; only some want it");
  app->add_option("--label", command->label, "The token's label, at most 32 bytes")->required();
  app->add_option("--so-pin-file", command->so_pin_file,
                  "File of mode 0600 with the security officer's PIN; else it is asked for");
  app->add_option("--pin-file", command->pin_file,
                  "File of mode 0600 with the user's PIN; else it is asked for");
  app->add_option(
      "--erase", command->erase,
      "Serial of an initialised token: everything in it is erased, and it is made anew");
  app->add_flag("--yes", command->yes, "Erase without asking");
  app->footer(
      "Stop every program that uses the module first.\nExample:\n  estia token init --module "
      "/usr/lib/softhsm/libsofthsm2.so --label factory \\\n"
      "    --so-pin-file so-pin --pin-file pin");
  app->callback([command] { command->run(); });
}

void TokenInitCommand::run() const {
  if (!erase.empty()) {
    confirm_erasing(*this);
  }
  // The SO PIN of a token that is erased exists already.
  const Secret so_pin = erase.empty()
                            ? read_new_pin(so_pin_file, "--so-pin-file", "security officer's PIN")
                            : read_pin(so_pin_file, "--so-pin-file", "security officer's PIN");
  const Secret user_pin = read_new_pin(pin_file, "--pin-file", "user's PIN");
  const StopSignalsHeld held;
  const TokenSummary token = initialise_token(std::filesystem::absolute(module), module_args, label,
                                              so_pin, user_pin, erase);
  std::cout << "token " << token.label << " is initialised, serial " << token.serial << "\n";
}

}  // namespace estia::admin
