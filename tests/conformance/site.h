// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/support/est_client.h"

namespace estia::conformance {

/// A CA of its own, its running daemon, and openssl to look at what a client brought home.
class Site {
 public:
  explicit Site(const std::vector<std::string>& init_arguments = {})
      : installation("any", init_arguments),
        server(patient(installation)),
        openssl(installation, server) {}

  /// Checks with `openssl verify` that the certificate chains to the root, names `host` and is for
  /// TLS clients, and that it holds this key. Returns its serial number in hexadecimal.
  [[nodiscard]] std::string check(const std::filesystem::path& certificate,
                                  const std::filesystem::path& key, const std::string& host) const;
  /// What `openssl x509 -noout ARGUMENT` prints.
  [[nodiscard]] std::string x509(const std::filesystem::path& certificate,
                                 const std::string& argument) const;
  /// The root alone, in a PEM file: the bundle begins with it.
  [[nodiscard]] std::filesystem::path root() const;
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return installation.directory() / name;
  }
  /// Stops the daemon, which must end well, and counts the issued certificates of that operation.
  [[nodiscard]] int stop_and_count(const std::string& operation);

  /// Lets the daemon to be started wait longer for its clients than it does by default: on a busy
  /// machine a JVM alone takes seconds between connecting and the end of its handshake.
  static const e2e::Installation& patient(const e2e::Installation& installation);

  e2e::Installation installation;
  e2e::EstiadProcess server;
  e2e::EstClient openssl;
};

/// One command line from two parts.
[[nodiscard]] std::vector<std::string> operator+(std::vector<std::string> a,
                                                 const std::vector<std::string>& b);

/// Throws std::runtime_error that names the Debian package unless the file is there.
void require_file(const std::filesystem::path& file, const std::string& package);
/// The same for a program on PATH.
void require_program(const std::string& name, const std::string& package);

}  // namespace estia::conformance
