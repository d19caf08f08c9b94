// SPDX-License-Identifier: Apache-2.0
// What `estia init` writes, what the daemon reads and what the manual says are the same.
#include "admin/offline/process_config_text.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "crypto/base/file.h"
#include "server/app/process_config.h"
#include "tests/support/paths.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"

namespace estia::admin {
namespace {

/// Each documented key ("listener.est.port") with its example line.
std::map<std::string, std::string> documented_keys() {
  static const std::regex row(R"(^\| `([a-z_.]+)` \| [^|]+ \| [^|]+ \| `(.+)` \|$)");
  std::istringstream manual(read_file(test::source_directory() / "docs/configuration.md"));
  std::map<std::string, std::string> keys;
  for (std::string line; std::getline(manual, line) && line != "## Run-time configuration";) {
    std::smatch match;
    if (std::regex_match(line, match, row)) {
      keys.emplace(match[1], match[2]);
    }
  }
  return keys;
}

/// The keys that the reader's source asks for.
std::set<std::string> keys_in_the_reader() {
  static const std::regex call(
      R"re((?:texts?|duration|integers?|flag)\((?:section, |)"([a-z_]+)")re");
  const std::string source = read_file(test::source_directory() / "server/app/process_config.cpp");
  std::set<std::string> keys;
  for (std::sregex_iterator match(source.begin(), source.end(), call), end; match != end; ++match) {
    keys.insert((*match)[1]);
  }
  return keys;
}

std::string document_of(const std::map<std::string, std::string>& keys) {
  std::map<std::string, std::string> sections;
  for (const auto& [key, example] : keys) {
    sections[key.substr(0, key.rfind('.'))] += example + "\n";
  }
  std::string document;
  for (const auto& [section, lines] : sections) {
    document += "[" + section + "]\n" + lines;
  }
  return document;
}

app::ProcessConfig load(const std::string& document) {
  const test::ScratchDirectory scratch;
  const auto file = scratch.path() / "estia.toml";
  write_new_file(file, document, FileMode::readable);
  return app::load_process_config(file, "/state");
}

TEST(ProcessConfigText, IsReadByTheDaemonAsMeant) {
  const app::ProcessConfig config = load(process_config_text({.host = "::1",
                                                              .port = 9443,
                                                              .module = "/opt/a \"b\"/m.so",
                                                              .init_args = "configdir='x'",
                                                              .token_label = "fab \\ 1",
                                                              .token_serial = "0a1b",
                                                              .pin_file = "/etc/pin"}));
  EXPECT_EQ(config.est.host, "::1");
  EXPECT_EQ(config.est.port, 9443);
  EXPECT_EQ(config.est.certificate, "/state/tls/server.pem");
  EXPECT_EQ(config.est.key, "/state/tls/server.key");
  EXPECT_TRUE(config.management.enabled);
  EXPECT_EQ(config.management.socket, "/state/management/socket");
  EXPECT_TRUE(config.management.uids.empty());
  EXPECT_EQ(config.store, "/state/estia.db");
  EXPECT_EQ(config.token.module, "/opt/a \"b\"/m.so");
  EXPECT_EQ(config.token.init_args, "configdir='x'");
  EXPECT_EQ(config.token.label, "fab \\ 1");
  EXPECT_EQ(config.token.serial, "0a1b");
  EXPECT_EQ(config.token.pin_file, "/etc/pin");
  EXPECT_EQ(config.log_level, "info");
}

TEST(ProcessConfigText, EveryKeyHasACommentAboveItOrItsNeighbour) {
  std::istringstream text(process_config_text({.host = "h",
                                               .port = 1,
                                               .module = "m",
                                               .init_args = "i",
                                               .token_label = "l",
                                               .token_serial = "s",
                                               .pin_file = "p"}));
  bool explained = false;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("[") || line.empty()) {
      explained = false;
    } else if (line.starts_with("#")) {
      explained = true;
    } else {
      EXPECT_TRUE(explained) << line;
    }
  }
}

/// Of the sources of a PIN this one only, and a token for the key that refers to one.
std::map<std::string, std::string> with_pin(const std::string& source) {
  auto keys = documented_keys();
  for (const char* other : {"token.pin_file", "token.pin_credential", "token.pin_from"}) {
    EXPECT_TRUE(keys.contains(other)) << other;
    if (other != source) {
      keys.erase(other);
    }
  }
  for (const char* key : {"module", "label", "pin_file"}) {
    keys.emplace("tokens.net." + std::string(key), std::string(key) + " = \"x\"");
  }
  return keys;
}

TEST(ProcessConfigManual, EveryExampleIsAccepted) {
  ASSERT_GT(documented_keys().size(), 20U);
  for (const char* source : {"token.pin_file", "token.pin_credential", "token.pin_from"}) {
    EXPECT_EQ(test::refusal([&] { static_cast<void>(load(document_of(with_pin(source)))); }),
              "none");
  }
  // The reader refuses what is not its own, so the lines above prove something.
  auto more = with_pin("token.pin_file");
  more.emplace("log.loose", "loose = 1");
  EXPECT_EQ(test::refusal([&] { static_cast<void>(load(document_of(more))); }),
            "config config.unknown_key");
}

TEST(ProcessConfigManual, DescribesEveryKeyThatIsRead) {
  std::set<std::string> documented;
  for (const auto& [key, example] : documented_keys()) {
    documented.insert(key.substr(key.rfind('.') + 1));
  }
  EXPECT_EQ(documented, keys_in_the_reader());
}

}  // namespace
}  // namespace estia::admin
