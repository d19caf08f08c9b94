// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/apply_command.h"

#include <iostream>
#include <memory>

#include "admin/offline/open_state.h"
#include "crypto/base/file.h"
#include "server/provision/apply.h"

namespace estia::admin {
namespace {

void print_names(const char* what, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::cout << what << name << "\n";
  }
}

}  // namespace

void ApplyCommand::add_to(CLI::App& estia) {
  auto command = std::make_shared<ApplyCommand>();
  CLI::App* app = estia.add_subcommand(
      "apply", "Replace CAs, profiles, aliases and accounts by those of a file, all or nothing");
  app->add_option("file", command->file, "The run-time configuration (TOML)")->required();
  app->add_option("--state", command->state, "State directory; estiad must be stopped")->required();
  app->footer("Example:\n  estia apply ca.toml --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void ApplyCommand::run() const {
  constexpr std::size_t kLargest = 4U << 20U;
  const auto path = std::filesystem::absolute(file);
  OpenState open(state);
  provision::ApplyRequest request{
      .document = read_file(path, kLargest), .source = file.string(), .who = operator_name()};
  const provision::CheckReport checked =
      provision::check(request.document, request.source, open.store().configuration());
  request.passwords = provision::read_passwords(checked.needs, path.parent_path());
  const provision::ApplyReport report =
      provision::apply(request, open.store().configuration(), open.clock());
  for (const std::string& warning : report.warnings) {
    std::cerr << "estia: warning: " << warning << "\n";
  }
  print_names("added    ", report.added);
  print_names("changed  ", report.changed);
  print_names("removed  ", report.removed);
  std::cout << (report.anything() ? "configuration version " : "nothing to change, version ")
            << report.version << "\n";
}

}  // namespace estia::admin
