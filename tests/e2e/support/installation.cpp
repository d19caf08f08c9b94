// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/installation.h"

#include <array>
#include <stdexcept>

#include "crypto/base/file.h"
#include "tests/support/paths.h"

namespace estia::e2e {
namespace {

std::string first_line(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string program(const std::string& name) {
  return test::binary_directory() / name;
}

std::string softhsm_module() {
  for (const char* path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) {
      return path;
    }
  }
  throw std::runtime_error("libsofthsm2.so is not installed");
}

Installation::Installation(const std::string& ra_scope,
                           const std::vector<std::string>& init_arguments) {
  const std::filesystem::path tokens = directory() / "tokens";
  const std::filesystem::path configuration = directory() / "softhsm2.conf";
  std::filesystem::create_directory(tokens);
  write_new_file(configuration,
                 "directories.tokendir = " + tokens.string() +
                     "\nobjectstore.backend = file\nlog.level = ERROR\n",
                 FileMode::secret);
  write_new_file(pin_file(), std::string(kPin) + "\n", FileMode::secret);
  environment_ = {"SOFTHSM2_CONF=" + configuration.string()};
  run_ok({"softhsm2-util", "--init-token", "--free", "--label", kLabel, "--so-pin", "so-1234",
          "--pin", kPin},
         directory(), environment_);
  std::vector<std::string> command{
      "init",      "--state",    state().string(),    "--module",   softhsm_module(), "--token",
      kLabel,      "--pin-file", pin_file().string(), "--ra-scope", ra_scope,         "--dns",
      "localhost", "--ip",       "127.0.0.1"};
  command.insert(command.end(), init_arguments.begin(), init_arguments.end());
  const Finished init = estia(command);
  if (init.code != 0) {
    throw std::runtime_error("estia init: " + init.out + init.err);
  }
}

void Installation::replace_module(const std::filesystem::path& module) const {
  const std::filesystem::path file = state() / "estia.toml";
  std::string text = read_file(file);
  const std::string before = softhsm_module();
  const std::size_t at = text.find(before);
  if (at == std::string::npos) {
    throw std::runtime_error("estia.toml does not name " + before + ": " + text);
  }
  text.replace(at, before.size(), module.string());
  replace_file(file, text, FileMode::readable);
}

void Installation::add_to_token(const std::string& lines) const {
  const std::filesystem::path file = state() / "estia.toml";
  const std::string section = "[token]\n";
  std::string text = read_file(file);
  const std::size_t at = text.find(section);
  if (at == std::string::npos) {
    throw std::runtime_error("estia.toml has no " + section + text);
  }
  text.insert(at + section.size(), lines);
  replace_file(file, text, FileMode::readable);
}

std::string Installation::user() const {
  return first_line(state() / "ra-account.user");
}

std::string Installation::password() const {
  return first_line(state() / "ra-account.password");
}

void Installation::allow_serverkeygen(const std::string& packages) const {
  std::string document = estia({"config", "export", "--state", state().string()}).out;
  const std::string name = "name = \"est\"\n";
  const std::size_t at = document.find(name);
  if (at == std::string::npos) {
    throw std::runtime_error("there is no alias est: " + document);
  }
  document.insert(at + name.size(), "serverkeygen = " + packages + "\n");
  const std::filesystem::path file = directory() / "serverkeygen.toml";
  write_new_file(file, document, FileMode::secret);
  const Finished applied = estia({"apply", file.string(), "--state", state().string()});
  if (applied.code != 0) {
    throw std::runtime_error("estia apply: " + applied.err);
  }
}

Finished Installation::estia(const std::vector<std::string>& arguments) const {
  std::vector<std::string> whole{program("estia")};
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  return run(whole, directory(), environment_);
}

std::string Installation::query(const std::string& sql) const {
  const std::string text =
      run_ok({"sqlite3", "-readonly", (state() / "estia.db").string(), sql}, directory());
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

void Installation::tamper(const std::string& sql) const {
  run_ok({"sqlite3", (state() / "estia.db").string(), sql}, directory());
}

}  // namespace estia::e2e
