// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/explain_command.h"

#include <iostream>

#include "admin/cli/management_client.h"
#include "admin/cli/pem_blocks.h"
#include "admin/cli/record_text.h"
#include "crypto/base/bytes.h"
#include "crypto/base/file.h"

namespace estia::admin {
namespace {

constexpr std::size_t kLargest = 64U << 10U;

/// As a client would send it: PEM and base64 as they are, DER in base64.
std::string body_of(const std::string& file) {
  const bool der = !file.empty() && file.front() == '\x30' && file.find('\0') != std::string::npos;
  return der ? base64_encode(as_bytes(file)) : file;
}

}  // namespace

void ExplainCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<ExplainCommand>();
  CLI::App* app = estia.add_subcommand(
      "explain", "Tell what would become of a device's request; nothing is issued");
  command->target.add_to(*app, false);
  app->add_option("--csr", command->csr, "Its PKCS #10 request: DER, PEM or base64")->required();
  app->add_option("--alias", command->alias, "EST alias")->capture_default_str();
  app->add_option("--operation", command->operation, "simpleenroll, simplereenroll or serverkeygen")
      ->capture_default_str();
  app->add_option("--cert", command->certificates,
                  "The client certificate and those above it that it would send, PEM");
  CLI::Option* user = app->add_option("--user", command->user, "HTTP Basic user");
  app->add_option("--password-file", command->password_file,
                  "File of mode 0600 with its password or code")
      ->needs(user);
  app->add_option("--accept", command->accept, "Accept field of a serverkeygen request");
  app->add_flag("--json", command->json, "As JSON");
  app->footer(
      "Example:\n  estia explain --state /var/lib/estia --alias factory --csr device.csr \\\n"
      "    --cert vendor-device.pem");
  app->callback([command] { command->run(); });
}

void ExplainCommand::run() const {
  constexpr int kIndent = 2;
  Json body{{"alias", alias}, {"operation", operation}, {"csr", body_of(read_file(csr, kLargest))}};
  if (!certificates.empty()) {
    body["certificates"] = certificates_in(read_file(certificates, kLargest));
  }
  if (!accept.empty()) {
    body["accept"] = accept;
  }
  if (!user.empty()) {
    body["user"] = user;
    const Secret password = password_file.empty() ? Secret() : read_secret_file(password_file);
    body["password"] = std::string(password.text());
  }
  ManagementClient client(target.running());
  const Json answer = client.send("POST", "/explain", body);
  std::cout << (json ? answer.dump(kIndent) + "\n" : record_text(answer));
}

}  // namespace estia::admin
