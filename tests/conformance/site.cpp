// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/site.h"

#include <stdlib.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>

#include "crypto/base/file.h"

namespace estia::conformance {
namespace {

[[noreturn]] void missing(const std::string& what, const std::string& package) {
  throw std::runtime_error(what + " is missing: apt-get install " + package);
}

}  // namespace

const e2e::Installation& Site::patient(const e2e::Installation& installation) {
  const std::filesystem::path path = installation.state() / "estia.toml";
  std::string text = read_file(path) + "\n[limits]\n";
  for (const char* limit : {"handshake", "header", "body", "linger"}) {
    text += std::string(limit) + " = \"60s\"\n";
  }
  replace_file(path, text, FileMode::readable);
  return installation;
}

std::string Site::check(const std::filesystem::path& certificate, const std::filesystem::path& key,
                        const std::string& host) const {
  openssl.openssl({"verify", "-x509_strict", "-purpose", "sslclient", "-verify_hostname", host,
                   "-CAfile", root().string(), "-untrusted", installation.ca_bundle().string(),
                   certificate.string()});
  EXPECT_EQ(x509(certificate, "-pubkey"),
            openssl.openssl({"pkey", "-in", key.string(), "-pubout"}));
  const std::string serial = x509(certificate, "-serial");  // "serial=...", LF
  return serial.substr(7, serial.find('\n') - 7);
}

std::string Site::x509(const std::filesystem::path& certificate,
                       const std::string& argument) const {
  return openssl.openssl({"x509", "-in", certificate.string(), "-noout", argument});
}

std::filesystem::path Site::root() const {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  const std::filesystem::path path = file("root.pem");
  const std::string bundle = read_file(installation.ca_bundle());
  replace_file(path, bundle.substr(0, bundle.find(kEnd) + kEnd.size()), FileMode::readable);
  return path;
}

int Site::stop_and_count(const std::string& operation) {
  EXPECT_EQ(server.stop(), 0) << server.err();
  return std::stoi(
      installation.query("SELECT count(*) FROM certificate WHERE state = 'issued' "
                         "AND operation = '" +
                         operation + "'"));
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void require_file(const std::filesystem::path& file, const std::string& package) {
  if (!std::filesystem::exists(file)) {
    missing(file.string(), package);
  }
}

void require_program(const std::string& name, const std::string& package) {
  const char* path = ::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) {
      return;
    }
  }
  missing(name, package);
}

}  // namespace estia::conformance
