// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/apply_command.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "admin/cli/confirm.h"
#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "crypto/base/password_rules.h"

namespace estia::admin {
namespace {

void print_names(const char* what, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::cout << what << name << "\n";
  }
}

bool print_changes(const Changes& changes) {
  print_names("added    ", changes.added);
  print_names("changed  ", changes.changed);
  print_names("removed  ", changes.removed);
  return !changes.added.empty() || !changes.changed.empty() || !changes.removed.empty();
}

/// With the rights of whoever runs this command, not with those of estiad.
std::vector<GivenPassword> read_passwords(const std::vector<WantedPassword>& needs,
                                          const std::filesystem::path& directory) {
  std::vector<GivenPassword> passwords;
  for (const WantedPassword& wanted : needs) {
    passwords.push_back({wanted.alias, wanted.user, read_secret_file(directory / wanted.file)});
  }
  return passwords;
}

/// What estiad refuses once it is sent, so that a dry run need not send it. Of an account that has
/// a password it takes the same one again, whatever it looks like.
void check_passwords(const Checked& checked, const std::vector<GivenPassword>& passwords) {
  for (std::size_t i = 0; i < passwords.size(); ++i) {
    const WantedPassword& wanted = checked.needs.at(i);
    const auto rule =
        password_weakness(passwords[i].password.text(),
                          wanted.generated ? PasswordOrigin::generated : PasswordOrigin::chosen);
    if (!rule) {
      continue;
    }
    const std::string text = wanted.file + ": a password must be " + std::string(*rule);
    const std::string account = "account " + wanted.alias + "/" + wanted.user;
    if (std::ranges::find(checked.changes.added, account) != checked.changes.added.end()) {
      throw Error(ErrorCode::config, "config.password_weak", text);
    }
    std::cerr << "estia: warning: " << text << ", unless it is the one " << account << " has\n";
  }
}

/// Scripts are never asked: they have no terminal.
void ask_before(const Checked& checked) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return;
  }
  print_names("would add      ", checked.changes.added);
  print_names("would change   ", checked.changes.changed);
  print_names("would remove   ", checked.changes.removed);
  ask("apply?");
}

}  // namespace

void ApplyCommand::add_to(CLI::App& estia, OpenOffline offline) {
  auto command = std::make_shared<ApplyCommand>();
  CLI::App* app = estia.add_subcommand(
      "apply", "Replace CAs, profiles, aliases and accounts by those of a file, all or nothing");
  app->add_option("file", command->file, "The run-time configuration (TOML)")->required();
  command->target.add_to(*app, true);
  app->add_flag("--yes", command->yes, "Do not ask on a terminal");
  app->add_flag("--dry-run", command->dry_run, "Show what would change, and change nothing");
  app->footer("Example:\n  estia apply ca.toml --state /var/lib/estia");
  app->callback([command, offline = std::move(offline)] { command->run(offline); });
}

void ApplyCommand::run(const OpenOffline& offline) const {
  constexpr std::size_t kLargest = 4U << 20U;
  const auto path = std::filesystem::absolute(file);
  const std::unique_ptr<Backend> backend = target.backend(offline);
  Replacement wanted{.document = read_file(path, kLargest), .source = file.string()};
  const Checked checked = backend->check(wanted.document, wanted.source);
  for (const std::string& warning : checked.changes.warnings) {
    std::cerr << "estia: warning: " << warning << "\n";
  }
  std::cout << checked.diff;
  wanted.passwords = read_passwords(checked.needs, path.parent_path());
  if (dry_run) {
    check_passwords(checked, wanted.passwords);
    print_changes(checked.changes);
    std::cout << "nothing was changed, version " << checked.changes.version << "\n";
    return;
  }
  wanted.replaces = checked.changes.version;
  if (!yes) {
    ask_before(checked);
  }
  const Changes changes = backend->replace(wanted);
  std::cout << (print_changes(changes) ? "configuration version " : "nothing to change, version ")
            << changes.version << "\n";
}

}  // namespace estia::admin
