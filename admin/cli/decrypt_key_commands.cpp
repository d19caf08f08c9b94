// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/decrypt_key_commands.h"

#include <iostream>

#include "admin/cli/pem_blocks.h"
#include "admin/cli/record_text.h"
#include "crypto/base/file.h"
#include "crypto/base/secret.h"

namespace estia::admin {
namespace {

constexpr std::size_t kLargestCertificate = 64U << 10U;

/// The one way in for a secret: its text lives in the request alone.
Json send_secret(ManagementClient& client, Json body, const std::string& file) {
  const Secret secret = read_secret_file(file);
  body["secret"] = std::string(secret.text());
  const auto wipe = [&] { cleanse(body.at("secret").get_ref<std::string&>()); };
  try {
    Json added = client.send("POST", "/decrypt-keys", body);
    wipe();
    return added;
  } catch (...) {
    wipe();
    throw;
  }
}

}  // namespace

void DecryptKeyOwnerOptions::add_to(CLI::App& app) {
  CLI::Option_group* group = app.add_option_group("owner", "For whom");
  const auto named = [](const std::string& name) {
    return name.empty() ? std::string("it is empty") : std::string();
  };
  group->add_option("--alias", alias, "Every client of this EST alias")->check(named);
  group->add_option("--username", username, "This end entity, before what its alias has")
      ->check(named);
  group->require_option(1);
}

Json DecryptKeyOwnerOptions::json() const {
  return alias.empty() ? Json{{"username", username}} : Json{{"alias", alias}};
}

void DecryptKeyAddCommand::add_to(CLI::App& decrypt_key) {
  auto command = std::make_shared<DecryptKeyAddCommand>();
  CLI::App* app = decrypt_key.add_subcommand(
      "add", "Register what a client opens the keys with that are made for it (serverkeygen)");
  command->target.add_to(*app, false);
  command->owner.add_to(*app);
  CLI::Option_group* what = app->add_option_group("key", "What it opens them with");
  CLI::Option* key = what->add_option(
      "--key-file", command->key_file,
      "File of mode 0600 with an AES key of 16, 24 or 32 bytes, in hexadecimal digits");
  what->add_option("--certificate", command->certificate,
                   "Certificate whose key it has, PEM; known by its subjectKeyIdentifier");
  what->add_option("--password-file", command->password_file,
                   "File of mode 0600 with the password of PKCS #12 files");
  what->require_option(1);
  CLI::Option* identifier = app->add_option(
      "--identifier", command->identifier,
      "With --key-file: the DecryptKeyIdentifier, in hexadecimal digits, no colons");
  identifier->needs(key);
  key->needs(identifier);
  app->footer(
      "Example:\n  openssl rand -hex 32 >device-7.key && chmod 600 device-7.key\n"
      "  estia decrypt-key add --state /var/lib/estia --username device-7 \\\n"
      "    --identifier 6b2d37 --key-file device-7.key");
  app->callback([command] { command->run(); });
}

void DecryptKeyAddCommand::run() const {
  Json body = owner.json();
  ManagementClient client(target.running());
  Json added;
  if (!certificate.empty()) {
    body["kind"] = "certificate";
    body["certificate"] = certificates_in(read_file(certificate, kLargestCertificate));
    added = client.send("POST", "/decrypt-keys", body);
  } else if (!password_file.empty()) {
    body["kind"] = "password";
    added = send_secret(client, std::move(body), password_file);
  } else {
    body["kind"] = "secret";
    body["identifier"] = identifier;
    added = send_secret(client, std::move(body), key_file);
  }
  std::cout << record_text(added);
}

void DecryptKeyListCommand::add_to(CLI::App& decrypt_key) {
  auto command = std::make_shared<DecryptKeyListCommand>();
  CLI::App* app =
      decrypt_key.add_subcommand("list", "Print which decrypt keys are registered, never the keys");
  command->target.add_to(*app, false);
  command->owner.add_to(*app);
  app->add_flag("--json", command->json, "A JSON object a line");
  app->footer("Example:\n  estia decrypt-key list --state /var/lib/estia --username device-7");
  app->callback([command] { command->run(); });
}

void DecryptKeyListCommand::run() const {
  ManagementClient client(target.running());
  for (Json after = 0; !after.is_null();) {
    Json wanted = owner.json();
    wanted["after"] = after;
    const Json page = client.send("POST", "/decrypt-keys/list", wanted);
    for (const Json& key : page.at("decrypt_keys")) {
      std::cout << (json ? key.dump() : row_text(key, {"kind", "identifier", "created_at"}))
                << "\n";
    }
    after = page.at("next");
  }
}

void DecryptKeyRemoveCommand::add_to(CLI::App& decrypt_key) {
  auto command = std::make_shared<DecryptKeyRemoveCommand>();
  CLI::App* app =
      decrypt_key.add_subcommand("remove", "Forget a decrypt key; counts from the next request on");
  command->target.add_to(*app, false);
  command->owner.add_to(*app);
  app->add_option("--kind", command->kind, "secret, certificate or password")->required();
  app->add_option("--identifier", command->identifier, "As list prints it; a password has none");
  app->footer(
      "Example:\n  estia decrypt-key remove --state /var/lib/estia --username device-7 \\\n"
      "    --kind secret --identifier 6b2d37");
  app->callback([command] { command->run(); });
}

void DecryptKeyRemoveCommand::run() const {
  Json body = owner.json();
  body["kind"] = kind;
  if (!identifier.empty()) {
    body["identifier"] = identifier;
  }
  ManagementClient client(target.running());
  static_cast<void>(client.send("POST", "/decrypt-keys/remove", body));
  std::cout << "removed\n";
}

}  // namespace estia::admin
