// SPDX-License-Identifier: Apache-2.0
// The commands of docs/clients.md and docs/aliases.md as they are printed, against the real estiad.
#include <algorithm>
#include <sstream>

#include "crypto/base/file.h"
#include "tests/conformance/site.h"
#include "tests/support/paths.h"

namespace estia::conformance {
namespace {

/// Commands for a Bourne shell stand between these; what is shown but not run has a bare fence.
constexpr std::string_view kFence = "```";
constexpr std::string_view kShellFence = "```sh";

struct Section {
  std::string title;
  std::string commands;
};

/// The page's sections with their commands; the first one, before any title, sets variables.
std::vector<Section> sections_of(const std::filesystem::path& page) {
  std::vector<Section> sections{{}};
  std::istringstream lines(read_file(page));
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) {
      sections.push_back({line.substr(3), {}});
    } else if (line == kShellFence || line == kFence) {
      inside = line == kShellFence;
    } else if (inside && !line.starts_with("apt-get install ")) {  // packages.sh does that
      sections.back().commands += line + "\n";
    }
  }
  return sections;
}

std::string commands_of(const std::vector<Section>& sections, const std::string& title) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&](const Section& one) { return one.title == title; });
  return found == sections.end() ? std::string() : found->commands;
}

/// As somebody types it from top to bottom.
std::string all_commands_of(const std::string& page) {
  std::string commands;
  for (const Section& section : sections_of(test::source_directory() / page)) {
    commands += section.commands;
  }
  return commands;
}

struct Case {
  const char* name;
  const char* title;
  const char* certificate;  ///< the last one that the section's commands leave
  const char* key;
  const char* host;
};

/// Without a parameter: pages that are typed from top to bottom.
class DocumentedPage : public testing::Test {
 protected:
  /// A source directory whose demo runs: demo.env as softhsm-setup/demo.sh writes it, and tests/.
  void make_source_directory() const {
    std::filesystem::create_directories(root() / "demo");
    std::filesystem::create_directory_symlink(test::source_directory() / "tests", root() / "tests");
    std::filesystem::create_directories(root() / "build/release");
    std::filesystem::create_directory_symlink(test::binary_directory(),
                                              root() / "build/release/bin");
    const auto variable = [](const std::string& name, const std::string& value) {
      return name + "='" + value + "'\n";
    };
    write_new_file(root() / "demo/demo.env",
                   variable("ESTIA_HOST", "localhost") +
                       variable("ESTIA_PORT", site_.server.port()) +
                       variable("ESTIA_CA", site_.installation.ca_bundle().string()) +
                       variable("ESTIA_USER", site_.installation.user()) +
                       variable("ESTIA_PASSWORD", site_.installation.password()) +
                       variable("ESTIA_STATE", site_.installation.state().string()),
                   FileMode::secret);
  }

  /// Every command must succeed, pipes whole.
  void run_script(const std::string& commands) const {
    const std::filesystem::path script = site_.file("commands.sh");
    const std::filesystem::path settings = site_.file("strongswan.conf");
    write_new_file(settings, "", FileMode::readable);  // not the machine's
    write_new_file(script, "set -euo pipefail\ncd '" + root().string() + "'\n" + commands,
                   FileMode::secret);
    const std::filesystem::path out = site_.file("commands.out");
    const std::filesystem::path err = site_.file("commands.err");
    e2e::Child shell({.arguments = {"bash", script.string()},
                      .environment = {"STRONGSWAN_CONF=" + settings.string()},
                      .out = out,
                      .err = err});
    constexpr std::chrono::seconds kLimit{150};
    EXPECT_EQ(shell.wait(kLimit), 0) << read_file(out) << read_file(err);
  }

  /// How many certificates each operation gave, once the server has stopped.
  void expect_issued(int enrolled, const std::string& renewed) {
    EXPECT_EQ(site_.stop_and_count("simpleenroll"), enrolled);
    EXPECT_EQ(site_.installation.query("SELECT count(*) FROM certificate WHERE state = 'issued' "
                                       "AND operation = 'simplereenroll'"),
              renewed);
  }

  [[nodiscard]] std::filesystem::path root() const { return site_.file("source"); }
  [[nodiscard]] std::filesystem::path made(const char* name) const {
    return root() / "demo/clients" / name;
  }

  Site site_;
};

class DocumentedCommands : public DocumentedPage, public testing::WithParamInterface<Case> {};

TEST_P(DocumentedCommands, FetchTheCaEnrolAndReenrol) {
  require_program("pki", "strongswan-pki");
  require_program("javac", "default-jdk-headless");
  require_file("/usr/share/java/bcpkix.jar", "libbcpkix-java");
  const Case& wanted = GetParam();
  const auto sections = sections_of(test::source_directory() / "docs/clients.md");
  const std::string commands = commands_of(sections, wanted.title);
  ASSERT_NE(commands, "") << "docs/clients.md has no commands under " << wanted.title;
  make_source_directory();
  ASSERT_NO_FATAL_FAILURE(run_script(sections.front().commands + commands));
  EXPECT_NE(site_.check(made(wanted.certificate), made(wanted.key), wanted.host), "");
  expect_issued(1, "1");
}

INSTANTIATE_TEST_SUITE_P(
    Page, DocumentedCommands,
    testing::Values(
        Case{"curl", "curl and openssl", "curl-2.pem", "curl-2.key", "curl-1.example.com"},
        Case{"code", "Client mode with an enrolment code", "code-2.pem", "code-2.key",
             "code-1.example.com"},
        Case{"new_names", "New names at a renewal", "new.pem", "new.key", "new-name.example.com"},
        Case{"strongswan", "strongSwan", "sw-2.crt", "sw-2.key", "sw-1.example.com"},
        Case{"bouncy_castle", "Bouncy Castle", "bc-2.pem", "bc-2.key", "bc-1.example.com"}),
    [](const testing::TestParamInfo<Case>& wanted) { return std::string(wanted.param.name); });

/// As a reader does: each section begins where the one before it ended (the walk-through once left
/// its reader in another directory, and no section alone could notice).
TEST_F(DocumentedPage, ClientsFromTopToBottom) {
  const std::string commands = all_commands_of("docs/clients.md");
  make_source_directory();
  ASSERT_NO_FATAL_FAILURE(run_script(commands));
  expect_issued(12, "8");
  for (const auto& entry : std::filesystem::directory_iterator(root())) {
    EXPECT_TRUE(entry.is_symlink() || entry.is_directory())
        << entry.path() << ": keys and passwords belong under demo/";
  }
}

TEST_F(DocumentedPage, WalkThrough) {
  const auto sections = sections_of(test::source_directory() / "docs/clients.md");
  const std::string commands = commands_of(sections, "EJBCA's walk-through");
  ASSERT_NE(commands, "");
  make_source_directory();
  ASSERT_NO_FATAL_FAILURE(run_script(sections.front().commands + commands));
  expect_issued(7, "3");
}

/// The key that comes encrypted opens with openssl alone, and is the certificate's.
TEST_F(DocumentedPage, ServerkeygenFromTopToBottom) {
  const std::string commands = all_commands_of("docs/serverkeygen.md");
  make_source_directory();
  ASSERT_NO_FATAL_FAILURE(run_script(commands));
  const auto keys = root() / "demo/keys";
  for (const std::string name : {"made", "sealed", "secret", "agreed", "packed", "wrapped"}) {
    EXPECT_NE(site_.check(keys / (name + ".pem"), keys / (name + ".key"), ""), "") << name;
  }
  EXPECT_EQ(site_.stop_and_count("serverkeygen"), 6);
}

TEST_F(DocumentedPage, EveryModeOfAnAliasFromTopToBottom) {
  const std::string commands = all_commands_of("docs/aliases.md");
  make_source_directory();
  ASSERT_NO_FATAL_FAILURE(run_script(commands));
  expect_issued(9, "2");
}

}  // namespace
}  // namespace estia::conformance
