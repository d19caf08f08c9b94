// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_init_command.h"

#include <signal.h>

#include <iostream>
#include <memory>

#include "admin/token/token_admin.h"
#include "crypto/base/file.h"

namespace estia::admin {
namespace {

/// A token whose making is interrupted is left without a PIN, or, on SoftHSM, unreadable.
class StopSignalsHeld final {
 public:
  StopSignalsHeld() {
    ::sigset_t stop;
    ::sigemptyset(&stop);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      ::sigaddset(&stop, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &stop, &before_);
  }
  ~StopSignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignalsHeld(const StopSignalsHeld&) = delete;
  StopSignalsHeld& operator=(const StopSignalsHeld&) = delete;
  StopSignalsHeld(StopSignalsHeld&&) = delete;
  StopSignalsHeld& operator=(StopSignalsHeld&&) = delete;

 private:
  ::sigset_t before_{};
};

}  // namespace

void TokenInitCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenInitCommand>();
  CLI::App* app = token.add_subcommand(
      "init", "Initialise a free token of a PKCS#11 module: label, SO PIN and user PIN");
  app->add_option("--module", command->module, "PKCS#11 module, a shared library")
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--label", command->label, "The token's label, at most 32 bytes")->required();
  app->add_option("--so-pin-file", command->so_pin_file,
                  "File of mode 0600 with the security officer's PIN")
      ->required();
  app->add_option("--pin-file", command->pin_file, "File of mode 0600 with the user's PIN")
      ->required();
  app->footer(
      "Example:\n  estia token init --module /usr/lib/softhsm/libsofthsm2.so --label factory \\\n"
      "    --so-pin-file so-pin --pin-file pin");
  app->callback([command] { command->run(); });
}

void TokenInitCommand::run() const {
  const Secret so_pin = read_secret_file(so_pin_file);
  const Secret user_pin = read_secret_file(pin_file);
  const StopSignalsHeld held;
  const TokenSummary token =
      initialise_token(std::filesystem::absolute(module), label, so_pin, user_pin);
  std::cout << "token " << token.label << " is initialised, serial " << token.serial << "\n";
}

}  // namespace estia::admin
