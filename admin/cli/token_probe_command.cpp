// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/token_probe_command.h"

#include <iostream>
#include <string>

#include "admin/cli/record_text.h"
#include "crypto/base/error.h"

namespace estia::admin {
namespace {

void print(const Json& probed) {
  for (const Json& token : probed.at("tokens")) {
    std::cout << "token\t" << row_text(token, {"name", "label", "serial", "state"}) << "\t"
              << (token.at("logged_in").get<bool>() ? "logged in" : "not logged in") << "\n";
  }
  for (const Json& key : probed.at("keys")) {
    std::cout << "ca\t" << row_text(key, {"ca", "result"}) << "\t" << key.at("milliseconds").dump()
              << " ms";
    if (!key.at("reason").is_null()) {
      std::cout << "\t" << row_text(key, {"reason"});
    }
    std::cout << "\n";
  }
}

/// Empty: everything is well.
std::string trouble_in(const Json& probed) {
  std::size_t failed = 0;
  for (const Json& key : probed.at("keys")) {
    failed += key.at("result") == "ok" ? 0U : 1U;
  }
  if (failed > 0) {
    return std::to_string(failed) + " of " + std::to_string(probed.at("keys").size()) +
           " CA keys did not sign";
  }
  for (const Json& token : probed.at("tokens")) {
    if (!token.at("logged_in").get<bool>()) {
      return "estiad is not logged in to the token " + token.at("name").get<std::string>();
    }
  }
  return {};
}

}  // namespace

void TokenProbeCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenProbeCommand>();
  CLI::App* app = token.add_subcommand(
      "probe", "Let the running estiad look at its tokens now, and sign once with each CA key");
  command->target.add_to(*app, false);
  app->add_flag("--json", command->json, "As JSON");
  app->footer(
      "What is signed is a random text of estiad's own; the signature is verified and thrown "
      "away.\nExample:\n  estia token probe --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenProbeCommand::run() const {
  constexpr int kIndent = 2;
  ManagementClient client(target.running());
  const Json probed = client.send("POST", "/token/probe", Json::object());
  if (json) {
    std::cout << probed.dump(kIndent) << "\n";
  } else {
    print(probed);
  }
  std::cout.flush();
  if (const std::string trouble = trouble_in(probed); !trouble.empty()) {
    throw Error(ErrorCode::token, "cli.probe", trouble);
  }
}

}  // namespace estia::admin
