// SPDX-License-Identifier: Apache-2.0
#include "tests/support/token_fixture.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "crypto/base/file.h"
#include "crypto/base/random.h"

namespace estia::test {
namespace {

std::filesystem::path softhsm() {
  for (const char* path : {"/usr/lib/softhsm/libsofthsm2.so", ESTIA_SOFTHSM_MULTIARCH}) {
    if (std::filesystem::exists(path)) {
      return path;
    }
  }
  throw std::runtime_error("libsofthsm2.so is not installed");
}

void write_configuration(const TokenDir& made) {
  write_new_file(made.conf,
                 "directories.tokendir = " + made.tokens.string() +
                     "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
                 FileMode::readable);
}

/// token_maker MODULE SO-PIN-FILE PIN-FILE LABEL...
void run_maker(const TokenDir& made, const std::vector<std::string>& labels) {
  std::vector<std::string> words = {ESTIA_TOKEN_MAKER, made.module, made.so_pin_file,
                                    made.pin_file};
  words.insert(words.end(), labels.begin(), labels.end());
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  std::string environment = made.environment();
  std::array<char*, 2> variables = {environment.data(), nullptr};
  pid_t child = -1;
  int status = -1;
  if (::posix_spawn(&child, ESTIA_TOKEN_MAKER, nullptr, nullptr, arguments.data(),
                    variables.data()) != 0 ||
      ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("making a token for the test failed");
  }
}

}  // namespace

TokenDir::TokenDir(const std::vector<std::string>& labels)
    : scratch_(std::make_unique<ScratchDirectory>()),
      folder(scratch_->path()),
      conf(folder / "softhsm2.conf"),
      tokens(folder / "tokens"),
      pin_file(folder / "pin"),
      so_pin_file(folder / "so-pin"),
      module(softhsm()),
      label(labels.at(0)) {
  std::filesystem::create_directory(tokens);
  write_configuration(*this);
  write_new_file(pin_file, random_text(128) + "\n", FileMode::secret);
  write_new_file(so_pin_file, random_text(128) + "\n", FileMode::secret);
  run_maker(*this, labels);
}

void TokenDir::use() const {
  if (::setenv("SOFTHSM2_CONF", conf.c_str(), 1) != 0) {
    throw std::runtime_error("setenv failed");
  }
}

hsm::TokenConfig TokenDir::config() const {
  return {.module = module, .init_args = {}, .label = label, .serial = {}, .pin = {pin_file}};
}

TokenDir make_token(const std::string& label) {
  return TokenDir({label});
}

TokenDir make_tokens(const std::vector<std::string>& labels) {
  return TokenDir(labels);
}

}  // namespace estia::test
