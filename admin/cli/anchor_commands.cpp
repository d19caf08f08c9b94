// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/anchor_commands.h"

#include <iostream>

#include "admin/cli/confirm.h"
#include "admin/cli/management_client.h"
#include "admin/cli/object_path.h"
#include "admin/cli/record_text.h"
#include "crypto/base/bytes.h"
#include "crypto/base/error.h"
#include "crypto/base/file.h"

namespace estia::admin {
namespace {

constexpr std::size_t kLargestCertificate = 64U << 10U;
constexpr std::size_t kLargestCrl = 16U << 20U;

/// For people: everything but the certificate itself.
std::string shown(Json record) {
  record.erase("certificate");
  return record_text(record);
}

std::string anchor_path(const std::string& name, const char* what) {
  return object_path("anchors", name, "a trust anchor") + "/" + what;
}

}  // namespace

void AnchorAddCommand::add_to(CLI::App& anchor) {
  auto command = std::make_shared<AnchorAddCommand>();
  CLI::App* app = anchor.add_subcommand(
      "add", "Trust a foreign CA: shows its certificate's subject and fingerprints, and asks");
  command->target.add_to(*app, false);
  app->add_option("FILE", command->file, "Its certificate, PEM")->required();
  app->add_option("--name", command->name, "What it is called here")->required();
  app->add_option("--revocation", command->revocation,
                  "How its revocations are known: crl-required, crl-if-present or none")
      ->required();
  app->add_option("--vendor-of", command->vendor_of,
                  "Alias where its devices may enrol; may be repeated");
  app->add_option("--explicit-of", command->explicit_of,
                  "Alias that lists registration authorities of it; may be repeated");
  app->add_flag("--yes", command->yes, "Do not ask");
  app->footer(
      "Example:\n  estia anchor add vendor.pem --state /var/lib/estia --name acme \\\n"
      "    --revocation crl-required --vendor-of factory");
  app->callback([command] { command->run(); });
}

void AnchorAddCommand::run() const {
  const std::string pem = read_file(file, kLargestCertificate);
  ManagementClient client(target.running());
  std::cout << shown(client.send("POST", "/anchors/inspect", {{"certificate", pem}}));
  confirm("trust this CA as " + name + "?", yes);
  const Json done = client.send("POST", "/anchors",
                                {{"name", name},
                                 {"certificate", pem},
                                 {"revocation", revocation},
                                 {"vendor_of", vendor_of},
                                 {"explicit_of", explicit_of}});
  for (const Json& warning : done.at("warnings")) {
    std::cerr << "estia: warning: " << warning.get<std::string>() << "\n";
  }
  std::cout << "added " << name << ", configuration " << done.at("version") << "\n";
}

void AnchorRemoveCommand::add_to(CLI::App& anchor) {
  auto command = std::make_shared<AnchorRemoveCommand>();
  CLI::App* app = anchor.add_subcommand(
      "remove", "No longer trust a foreign CA, from the next request on; asks");
  command->target.add_to(*app, false);
  app->add_option("NAME", command->name, "What it is called here")->required();
  app->add_flag("--yes", command->yes, "Do not ask");
  app->footer("Example:\n  estia anchor remove acme --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void AnchorRemoveCommand::run() const {
  const std::string path = anchor_path(name, "remove");
  ManagementClient client(target.running());
  const Json present = client.get("/anchors");
  for (const Json& anchor : present.at("anchors")) {
    if (anchor.at("name") == name) {
      std::cout << shown(anchor);
    }
  }
  confirm("no longer trust " + name + "?", yes);
  const Json done = client.send("POST", path, Json::object());
  std::cout << "removed " << name << ", configuration " << done.at("version") << "\n";
}

void AnchorListCommand::add_to(CLI::App& anchor) {
  auto command = std::make_shared<AnchorListCommand>();
  CLI::App* app = anchor.add_subcommand("list", "Print the foreign CAs that are trusted");
  command->target.add_to(*app, false);
  app->add_flag("--json", command->json, "A JSON object a line");
  app->footer("Example:\n  estia anchor list --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void AnchorListCommand::run() const {
  ManagementClient client(target.running());
  const Json anchors = client.get("/anchors");
  bool first = true;
  for (const Json& anchor : anchors.at("anchors")) {
    if (json) {
      std::cout << anchor.dump() << "\n";
      continue;
    }
    std::cout << (first ? "" : "\n") << shown(anchor);
    first = false;
  }
}

void AnchorCrlCommand::add_to(CLI::App& anchor) {
  auto command = std::make_shared<AnchorCrlCommand>();
  CLI::App* app = anchor.add_subcommand(
      "crl", "Hand in a CRL of a foreign CA, or of one below it; counts from the next request on");
  command->target.add_to(*app, false);
  app->add_option("NAME", command->name, "The trust anchor")->required();
  app->add_option("FILE", command->file, "The CRL, DER or PEM")->required();
  app->add_option(
      "--issuers", command->issuers,
      "For a CRL of a CA below the anchor: that CA's certificate and those between, PEM");
  app->footer("Example:\n  estia anchor crl acme acme.crl --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void AnchorCrlCommand::run() const {
  const std::string path = anchor_path(name, "crl");
  Json body{{"crl", base64_encode(as_bytes(read_file(file, kLargestCrl)))}};
  if (!issuers.empty()) {
    body["issuers"] = read_file(issuers, kLargestCertificate);
  }
  ManagementClient client(target.running());
  std::cout << record_text(client.send("POST", path, body));
}

}  // namespace estia::admin
