// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/stat.h>

#include "admin/cli/alias_import_command.h"
#include "admin/cli/anchor_commands.h"
#include "admin/cli/apply_command.h"
#include "admin/cli/ca_commands.h"
#include "admin/cli/cert_show_command.h"
#include "admin/cli/code_commands.h"
#include "admin/cli/config_diff_command.h"
#include "admin/cli/config_export_command.h"
#include "admin/cli/decrypt_key_commands.h"
#include "admin/cli/entity_commands.h"
#include "admin/cli/explain_command.h"
#include "admin/cli/hold_command.h"
#include "admin/cli/release_command.h"
#include "admin/cli/revoke_command.h"
#include "admin/cli/run.h"
#include "admin/cli/status_command.h"
#include "admin/cli/tls_commands.h"
#include "admin/cli/token_activate_command.h"
#include "admin/cli/token_probe_command.h"
#include "admin/cli/token_status_command.h"
#include "admin/held_state.h"
#include "admin/offline/init_command.h"
#include "admin/offline_backend.h"
#include "admin/token/token_activation.h"
#include "admin/token/token_cert_commands.h"
#include "admin/token/token_init_command.h"
#include "admin/token/token_list_command.h"
#include "admin/token/token_pin_commands.h"

namespace estia::admin {
namespace {

CLI::App& group(CLI::App& estia, const char* name, const char* description) {
  CLI::App* app = estia.add_subcommand(name, description);
  app->require_subcommand(1);
  return *app;
}

void add_token_commands(CLI::App& token) {
  TokenListCommand::add_to(token);
  TokenInitCommand::add_to(token);
  CLI::App& pin = group(token, "pin", "The PINs of a token");
  TokenPinSetCommand::add_to(pin, hold_state);
  TokenPinChangeCommand::add_to(pin, hold_state);
  TokenPinResumeCommand::add_to(pin, hold_state);
  CLI::App& cert = group(token, "cert", "Certificates in a token");
  TokenCertStoreCommand::add_to(cert, hold_state);
  TokenCertListCommand::add_to(cert, hold_state);
  TokenStatusCommand::add_to(token);
  TokenActivateCommand::add_to(token, [](const auto& state, const auto& name, const auto& brought) {
    activate_stopped(hold_state, state, name, brought);
  });
  TokenProbeCommand::add_to(token);
}

void add_commands(CLI::App& estia) {
  estia.require_subcommand(1);
  estia.set_version_flag("--version", "estia " ESTIA_VERSION);
  estia.footer("Example:\n  estia init --help\n\nExit status: 0 done, 1 failed, 2 misused.");
  add_token_commands(group(estia, "token", "PKCS#11 tokens"));
  InitCommand::add_to(estia);
  ApplyCommand::add_to(estia, open_offline);
  CLI::App& config = group(estia, "config", "The run-time configuration");
  ConfigExportCommand::add_to(config, open_offline);
  ConfigDiffCommand::add_to(config, open_offline);
  AliasImportCommand::add_to(group(estia, "alias", "EST aliases"));
  CLI::App& ca = group(estia, "ca", "This server's CAs");
  CaListCommand::add_to(ca);
  CaShowCommand::add_to(ca);
  CLI::App& anchor = group(estia, "anchor", "Foreign CAs that are trusted");
  AnchorAddCommand::add_to(anchor);
  AnchorRemoveCommand::add_to(anchor);
  AnchorListCommand::add_to(anchor);
  AnchorCrlCommand::add_to(anchor);
  CLI::App& entity = group(estia, "entity", "End entities");
  EntityAddCommand::add_to(entity);
  EntityCommand::add_to(entity);
  EntityListCommand::add_to(entity);
  CLI::App& code = group(estia, "code", "Enrolment codes of end entities");
  CodeNewCommand::add_to(code);
  CodeRemoveCommand::add_to(code);
  CLI::App& decrypt_key = group(estia, "decrypt-key", "What clients open their keys with");
  DecryptKeyAddCommand::add_to(decrypt_key);
  DecryptKeyListCommand::add_to(decrypt_key);
  DecryptKeyRemoveCommand::add_to(decrypt_key);
  CertShowCommand::add_to(group(estia, "cert", "Certificates"));
  RevokeCommand::add_to(estia, open_offline);
  HoldCommand::add_to(estia);
  ReleaseCommand::add_to(estia);
  ExplainCommand::add_to(estia);
  StatusCommand::add_to(estia);
  TlsCommand::add_to(group(estia, "tls", "The EST listener's certificate"));
}

}  // namespace
}  // namespace estia::admin

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a module's peer that goes away must not end us half-way
  ::umask(S_IRWXG | S_IRWXO);  // what we make is ours alone
  CLI::App app("Operator's tool of the EST issuing authority", "estia");
  estia::admin::add_commands(app);
  return estia::admin::run(app, argc, argv);
}
