// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_cert_commands.h"

#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "admin/cli/record_text.h"
#include "admin/token/pin_input.h"
#include "admin/token/token_certificates.h"
#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "crypto/base/stop_signals_held.h"

namespace estia::admin {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;

Json json_of(const TokenCertificate& stored) {
  const crypto::Certificate& certificate = stored.certificate;
  return {{"id", to_hex(stored.id)},
          {"label", stored.label},
          {"key_in_token", stored.key_in_token},
          {"subject", certificate.subject().text()},
          {"issuer", certificate.issuer().text()},
          {"serial", to_hex(certificate.serial())},
          {"not_before", utc_text(certificate.not_before())},
          {"not_after", utc_text(certificate.not_after())},
          {"sha256", to_hex(certificate.fingerprint_sha256())}};
}

std::string line_of(const TokenCertificate& stored) {
  const Json json = json_of(stored);
  return "id=" + row_text(json, {"id"}) + "\tlabel=" + row_text(json, {"label"}) +
         "\tkey=" + (stored.key_in_token ? "in the token" : "elsewhere") + "\t" +
         row_text(json, {"subject"}) + "\tserial=" + row_text(json, {"serial"}) + "\t" +
         row_text(json, {"not_before"}) + " to " + row_text(json, {"not_after"}) + "\n";
}

WantedName wanted_name(const TokenCertStoreCommand& command, std::size_t certificates) {
  if (certificates > 1 && !(command.id.empty() && command.label.empty())) {
    throw CLI::ValidationError("--id, --label", "are for a single certificate; the file has " +
                                                    std::to_string(certificates));
  }
  try {
    return {.id = from_hex(command.id), .label = command.label};
  } catch (const Error&) {
    throw CLI::ValidationError("--id", "is not hexadecimal");
  }
}

}  // namespace

void TokenCertStoreCommand::add_to(CLI::App& cert, HoldState hold) {
  auto command = std::make_shared<TokenCertStoreCommand>();
  CLI::App* app = cert.add_subcommand(
      "store", "Store certificates in the token, with the CKA_ID of the keys that they certify");
  command->choice.add_to(*app, std::move(hold));
  app->add_option("--file", command->file, "PEM file with one or more certificates")
      ->required()
      ->check(CLI::ExistingFile);
  app->add_option("--id", command->id,
                  "CKA_ID, hexadecimal; else that of its key in the token, or its subject key "
                  "identifier");
  app->add_option("--label", command->label,
                  "CKA_LABEL; else that of its key in the token, or its common name");
  app->add_option("--pin-file", command->pin_file,
                  "File of mode 0600 with the user's PIN; else that of the state directory, or it "
                  "is asked for");
  app->footer(std::string(kNobodyElse) +
              "Example:\n  estia token cert store --state /var/lib/estia --file issuing.pem");
  app->callback([command] { command->run(); });
}

void TokenCertStoreCommand::run() const {
  const auto certificates = crypto::Certificate::parse_pem(read_file(file, kLargestFile));
  const WantedName name = wanted_name(*this, certificates.size());
  const TokenChoice::Taken taken = choice.take();
  const Secret pin = read_user_pin(pin_file, taken.place);
  const StopSignalsHeld held;
  std::vector<std::string> which;
  for (const crypto::Certificate& certificate : certificates) {
    which.push_back("serial=" + to_hex(certificate.serial()) +
                    " sha256=" + to_hex(certificate.fingerprint_sha256()));
  }
  taken.audited("token.cert_stored", which, [&] {
    for (const TokenCertificate& one : store_certificates(taken.place, pin, certificates, name)) {
      std::cout << "stored\t" << line_of(one);
    }
  });
}

void TokenCertListCommand::add_to(CLI::App& cert, HoldState hold) {
  auto command = std::make_shared<TokenCertListCommand>();
  CLI::App* app = cert.add_subcommand("list", "List the certificates in the token");
  command->choice.add_to(*app, std::move(hold));
  app->add_option("--pin-file", command->pin_file,
                  "File of mode 0600 with the user's PIN, for tokens that hide certificates from "
                  "strangers; else nobody logs in");
  app->add_flag("--json", command->json, "As JSON");
  app->footer(std::string(kNobodyElse) +
              "Example:\n  estia token cert list --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenCertListCommand::run() const {
  constexpr int kIndent = 2;
  const TokenChoice::Taken taken = choice.take();
  const std::optional<Secret> pin =
      pin_file.empty() ? std::nullopt : std::optional(read_user_pin(pin_file, taken.place));
  const std::vector<TokenCertificate> found = list_certificates(taken.place, pin ? &*pin : nullptr);
  Json all = Json::array();
  for (const TokenCertificate& certificate : found) {
    all.push_back(json_of(certificate));
    std::cout << (json ? "" : line_of(certificate));
  }
  if (json) {
    std::cout << Json{{"certificates", std::move(all)}}.dump(kIndent, ' ', false,
                                                             Json::error_handler_t::replace)
              << "\n";
  }
}

}  // namespace estia::admin
