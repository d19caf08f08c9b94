// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/managed_site.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include "crypto/base/file.h"

namespace estia::e2e {

ManagedSite::ManagedSite(const std::string& ra_scope,
                         const std::vector<std::string>& init_arguments)
    : installation(ra_scope, init_arguments) {
  start();
}

ManagedSite::~ManagedSite() {
  if (server) {
    EXPECT_EQ(server->stop(), 0) << server->err();
  }
}

void ManagedSite::start() {
  server = std::make_unique<EstiadProcess>(installation);
  client = std::make_unique<EstClient>(installation, *server);
}

void ManagedSite::kill_and_start() {
  server->child().signal(SIGKILL);
  EXPECT_EQ(server->child().wait(std::chrono::seconds(20)), -SIGKILL);
  start();
}

Finished ManagedSite::estia(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"--state", state()});
  return installation.estia(arguments);
}

std::string ManagedSite::estia_ok(std::vector<std::string> arguments) const {
  const Finished finished = estia(std::move(arguments));
  EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
  return finished.out;
}

Finished ManagedSite::apply(const std::string& document) const {
  const std::filesystem::path file = installation.directory() / "ca.toml";
  replace_file(file, document, FileMode::secret);
  return estia({"apply", file.string()});
}

bool ManagedSite::add_configuration(const std::string& lines) const {
  const Finished applied = apply(estia_ok({"config", "export"}) + lines);
  EXPECT_EQ(applied.code, 0) << applied.err;
  return applied.code == 0;
}

bool ManagedSite::change_configuration(const std::string& from, const std::string& to) const {
  std::string document = estia_ok({"config", "export"});
  const std::size_t at = document.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at == std::string::npos) {
    return false;
  }
  const Finished applied = apply(document.replace(at, from.size(), to));
  EXPECT_EQ(applied.code, 0) << applied.err;
  return applied.code == 0;
}

std::string ManagedSite::serial_of(const std::filesystem::path& certificate) const {
  const std::string text =
      client->openssl({"x509", "-in", certificate.string(), "-noout", "-serial"});
  const std::size_t equals = text.find('=');
  return text.substr(equals + 1, text.find('\n') - equals - 1);
}

std::string ManagedSite::username_of(const std::filesystem::path& certificate) const {
  const std::string shown = estia_ok({"cert", "show", "--serial", serial_of(certificate)});
  const std::size_t at = shown.find_first_not_of(' ', shown.find("username") + 8);
  return shown.substr(at, shown.find('\n', at) - at);
}

void ManagedSite::register_entity(const std::string& username, const std::string& subject,
                                  const std::vector<std::string>& more,
                                  const std::string& certificate_profile) const {
  std::vector<std::string> arguments{"entity",
                                     "add",
                                     "--username",
                                     username,
                                     "--ca",
                                     "issuing",
                                     "--end-entity-profile",
                                     "device",
                                     "--certificate-profile",
                                     certificate_profile,
                                     "--subject",
                                     subject};
  arguments.insert(arguments.end(), more.begin(), more.end());
  estia_ok(arguments);
}

std::string ManagedSite::new_code(const std::string& username, int uses) const {
  const std::string out =
      estia_ok({"code", "new", "--username", username, "--uses", std::to_string(uses)});
  return out.substr(0, out.find('\n'));
}

bool ManagedSite::logged(const std::string& text) const {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (server->err().find(text) != std::string::npos) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string ManagedSite::ops_page(const std::string& path) const {
  return run({"curl", "-sS", "--max-time", "20", "http://" + server->ops_address() + path},
             installation.directory())
      .out;
}

}  // namespace estia::e2e
