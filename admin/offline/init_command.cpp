// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/init_command.h"

#include <iostream>
#include <memory>

#include "admin/offline/initialise_state.h"
#include "admin/offline/misuse.h"
#include "admin/offline/open_state.h"
#include "server/app/process_guard.h"

namespace estia::admin {
namespace {

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

crypto::GeneralNames server_names(const InitCommand& command) {
  std::vector<std::string> texts;
  for (const std::string& name : command.dns) {
    texts.push_back("dns:" + name);
  }
  for (const std::string& address : command.ip) {
    texts.push_back("ip:" + address);
  }
  if (texts.empty()) {
    if (!is_loopback(command.host)) {
      throw CLI::ValidationError(
          "--dns", "or --ip is needed with such a --host: clients check the server's name");
    }
    texts = {"dns:localhost", "ip:127.0.0.1", "ip:::1"};
  }
  return as_option("--dns, --ip", [&] { return crypto::GeneralNames::from_texts(texts); });
}

crypto::Name subject(const std::string& option, const std::string& text) {
  return text.empty() ? crypto::Name()
                      : as_option(option, [&] { return crypto::Name::from_text(text); });
}

provision::InitialisePlan plan_from(const InitCommand& command) {
  provision::InitialisePlan plan;
  plan.root_key = as_option("--root-key", [&] { return crypto::KeySpec::parse(command.root_key); });
  plan.issuing_key =
      as_option("--issuing-key", [&] { return crypto::KeySpec::parse(command.issuing_key); });
  plan.root_subject = subject("--root-subject", command.root_subject);
  plan.issuing_subject = subject("--issuing-subject", command.issuing_subject);
  plan.ra_scope = as_option("--ra-scope", [&] { return ca::NameScope::parse(command.ra_scope); });
  plan.server_names = server_names(command);
  plan.tls_key_in_token = command.tls_key_in_token;
  plan.who = operator_name();
  return plan;
}

void report(const InitCommand& command, const InitialisedState& made) {
  const provision::StateLayout layout(command.state);
  std::cout << "root CA     " << made.root.subject().text() << ", serial "
            << to_hex(made.root.serial()) << "\nissuing CA  " << made.issuing.subject().text()
            << ", serial " << to_hex(made.issuing.serial()) << "\nCA bundle   "
            << layout.ca_bundle().string() << "\naccount     " << made.user << ", password in "
            << layout.account_password().string() << ", may ask for: " << command.ra_scope
            << "\nTLS key     "
            << (command.tls_key_in_token ? "in the token" : layout.tls_key().string())
            << "\nstart       estiad --state " << layout.directory().string() << "\n";
}

}  // namespace

void InitCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<InitCommand>();
  CLI::App* app = estia.add_subcommand(
      "init", "Make a new CA: keys inside a token, everything else in a new state directory");
  app->add_option("--state", command->state, "State directory; must not exist, or be empty")
      ->required();
  app->add_option("--module", command->module, "PKCS#11 module, a shared library")
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--module-args", command->module_args,
                  "What the module is initialised with; only some want it");
  app->add_option("--token", command->token, "Label of the token")->required();
  app->add_option("--token-serial", command->token_serial,
                  "Serial of the token, where several have the label");
  app->add_option("--pin-file", command->pin_file, "File of mode 0600 with the token's user PIN")
      ->required();
  app->add_option("--ra-scope", command->ra_scope,
                  "Names the first account may ask for, such as 'CN=dev-*, dns=*.acme.example', "
                  "or the word any")
      ->required();
  app->add_option("--dns", command->dns, "DNS name of the EST server; may be repeated");
  app->add_option("--ip", command->ip, "IP address of the EST server; may be repeated");
  app->add_option("--root-key", command->root_key, "Kind of the root CA's key")
      ->capture_default_str();
  app->add_option("--issuing-key", command->issuing_key, "Kind of the issuing CA's key")
      ->capture_default_str();
  app->add_flag("--tls-key-in-token", command->tls_key_in_token,
                "The EST server's TLS key is made in the token, too, and stays there");
  app->add_option("--root-subject", command->root_subject,
                  "Subject of the root CA, such as 'CN=Acme Root,O=Acme'");
  app->add_option("--issuing-subject", command->issuing_subject, "Subject of the issuing CA");
  app->add_option("--host", command->host, "Where estiad will listen")->capture_default_str();
  app->add_option("--port", command->port, "Its port")->capture_default_str();
  app->footer(
      "Example:\n  estia init --state /var/lib/estia --module /usr/lib/softhsm/libsofthsm2.so \\\n"
      "    --token factory --pin-file pin --ra-scope 'CN=dev-*' --dns est.acme.example");
  app->callback([command] { command->run(); });
}

void InitCommand::run() const {
  InitialiseOptions options{.state = state,
                            .module = std::filesystem::absolute(module).lexically_normal(),
                            .init_args = module_args,
                            .token_label = token,
                            .token_serial = token_serial,
                            .pin_file = std::filesystem::absolute(pin_file).lexically_normal(),
                            .host = host,
                            .port = port,
                            .plan = plan_from(*this)};
  // An interrupted ceremony would leave keys in the token: stop signals wait until it is done.
  app::guard_process();
  report(*this, initialise_state(options));
}

}  // namespace estia::admin
