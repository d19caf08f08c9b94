// SPDX-License-Identifier: Apache-2.0
// What the operator's tool answers to a command line, whatever it is about.
#include <gtest/gtest.h>

#include "tests/e2e/support/child.h"
#include "tests/e2e/support/installation.h"
#include "tests/support/scratch_directory.h"

namespace estia::test {
namespace {

using e2e::Finished;
using Arguments = std::vector<std::string>;

Finished estia(const Arguments& arguments) {
  const ScratchDirectory scratch;
  Arguments whole{e2e::program("estia")};
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  return e2e::run(whole, scratch.path());
}

Arguments init_with(const Arguments& more) {
  Arguments arguments{
      "init",    "--state", "/nonexistent/state", "--module",        e2e::softhsm_module(),
      "--token", "x",       "--pin-file",         "/nonexistent/pin"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void expect_misuse(const Arguments& arguments, const std::string& told) {
  const Finished finished = estia(arguments);
  std::string line;
  for (const std::string& argument : arguments) {
    line += argument + " ";
  }
  EXPECT_EQ(finished.code, 2) << line << "\n" << finished.err;
  EXPECT_EQ(finished.err.find("estia: error: "), 0U) << line << "\n" << finished.err;
  EXPECT_NE(finished.err.find(told), std::string::npos) << line << "\n" << finished.err;
  EXPECT_TRUE(finished.out.empty()) << line << "\n" << finished.out;
}

TEST(Cli, MisuseEndsWith2) {
  expect_misuse({}, "subcommand");
  expect_misuse({"frobnicate"}, "frobnicate");
  expect_misuse({"token", "frob"}, "'frob' is not understood here");
  expect_misuse({"token"}, "subcommand");
  expect_misuse({"config"}, "subcommand");
  expect_misuse({"token", "init"}, "is required");
  expect_misuse({"token", "list", "--module", "/nonexistent.so"}, "/nonexistent.so");
  expect_misuse({"apply", "--state", "/nonexistent"}, "file is required");
  expect_misuse({"alias"}, "subcommand");
  expect_misuse({"alias", "import-ejbca", "--state", "/nonexistent"}, "file is required");
  for (const Arguments& arguments :
       {Arguments{"apply", "x.toml"}, Arguments{"alias", "import-ejbca", "x.properties"},
        Arguments{"config", "export"}, Arguments{"config", "diff", "x.toml"},
        Arguments{"revoke", "--serial", "01"}, Arguments{"hold", "--serial", "01"},
        Arguments{"release", "--serial", "01"}, Arguments{"cert", "show", "--serial", "01"},
        Arguments{"status"}}) {
    expect_misuse(arguments, "--state or --socket is required");
  }
  expect_misuse({"revoke", "--state", "/nonexistent"}, "--serial is required");
  expect_misuse({"revoke", "--state", "/nonexistent", "--serial", "01", "--frob"}, "--frob");
}

TEST(Cli, OptionsWithImpossibleValuesAreMisuse) {
  const Arguments scope{"--ra-scope", "any"};
  expect_misuse(init_with({}), "--ra-scope is required");
  expect_misuse(init_with({"--ra-scope", ""}), "--ra-scope");
  expect_misuse(init_with({"--ra-scope", "everything"}), "--ra-scope");
  expect_misuse(init_with({"--ra-scope", "any", "--root-key", "RSA-512"}), "--root-key");
  expect_misuse(init_with({"--ra-scope", "any", "--issuing-key", "P-224"}), "--issuing-key");
  expect_misuse(init_with({"--ra-scope", "any", "--dns", "-bad-"}), "--dns");
  expect_misuse(init_with({"--ra-scope", "any", "--ip", "1.2.3"}), "--ip");
  expect_misuse(init_with({"--ra-scope", "any", "--port", "65536"}), "--port");
  expect_misuse(init_with({"--ra-scope", "any", "--port", "x"}), "--port");
  expect_misuse(init_with({"--ra-scope", "any", "--host", "0.0.0.0"}), "--dns");
  expect_misuse(init_with({"--ra-scope", "any", "--root-subject", "nonsense"}), "--root-subject");
  for (const char* serial :
       {"", "xyz", "00", "4F 2A", "112233445566778899aabbccddeeff0011223344556677"}) {
    expect_misuse({"revoke", "--state", "/nonexistent", "--serial", serial}, "--serial");
  }
  for (const char* reason : {"", "bored", "certificateHold", "removeFromCRL", "KEYCOMPROMISE"}) {
    expect_misuse({"revoke", "--state", "/nonexistent", "--serial", "01", "--reason", reason},
                  "--reason");
  }
}

TEST(Cli, FailureEndsWith1) {
  for (const Arguments& arguments :
       {Arguments{"config", "export", "--state", "/nonexistent"},
        Arguments{"revoke", "--state", "/nonexistent", "--serial", "01"}}) {
    const Finished finished = estia(arguments);
    EXPECT_EQ(finished.code, 1) << finished.err;
    EXPECT_NE(finished.err.find("make the directory with estia init"), std::string::npos)
        << finished.err;
  }
}

TEST(Cli, WhatNeedsARunningDaemonSaysSo) {
  const ScratchDirectory scratch;
  const std::string socket = (scratch.path() / "socket").string();
  for (const Arguments& arguments :
       {Arguments{"status", "--state", "/nonexistent"},
        Arguments{"alias", "import-ejbca", "x.properties", "--state", "/nonexistent"},
        Arguments{"hold", "--state", "/nonexistent", "--serial", "01"},
        Arguments{"release", "--state", "/nonexistent", "--serial", "01"},
        Arguments{"cert", "show", "--state", "/nonexistent", "--serial", "01"},
        Arguments{"config", "export", "--socket", socket},
        Arguments{"revoke", "--socket", socket, "--serial", "01"},
        Arguments{"status", "--socket", "/" + std::string(200, 's')}}) {
    const Finished finished = estia(arguments);
    EXPECT_EQ(finished.code, 1) << finished.err;
    EXPECT_NE(finished.err.find("estiad does not answer on "), std::string::npos) << finished.err;
  }
}

TEST(Cli, VersionAndHelpEndWith0) {
  const Finished version = estia({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out.find("estia "), 0U) << version.out;
  for (const Arguments& command :
       {Arguments{}, Arguments{"init"}, Arguments{"apply"}, Arguments{"revoke"},
        Arguments{"config", "export"}, Arguments{"config", "diff"}, Arguments{"hold"},
        Arguments{"release"}, Arguments{"status"}, Arguments{"cert", "show"},
        Arguments{"alias", "import-ejbca"}, Arguments{"token", "init"},
        Arguments{"token", "list"}}) {
    Arguments arguments = command;
    arguments.emplace_back("--help");
    const Finished help = estia(arguments);
    EXPECT_EQ(help.code, 0) << help.err;
    EXPECT_NE(help.out.find("Example:\n"), std::string::npos) << help.out;
  }
}

TEST(Cli, NoOptionTakesASecret) {
  // A command line can be read by every user of the machine.
  for (const Arguments& command : {Arguments{"init", "--help"}, Arguments{"apply", "--help"},
                                   Arguments{"token", "init", "--help"}}) {
    const std::string help = estia(command).out;
    for (const char* option : {"--pin ", "--so-pin ", "--password", "--user-pin"}) {
      EXPECT_EQ(help.find(option), std::string::npos) << help;
    }
  }
}

}  // namespace
}  // namespace estia::test
