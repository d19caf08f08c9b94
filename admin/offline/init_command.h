// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace estia::admin {

/// `estia init`: a new CA, its keys inside a token.
struct InitCommand {
  std::filesystem::path state{};
  std::filesystem::path module{};
  std::string module_args{};
  std::string token{};
  std::string token_serial{};
  std::filesystem::path pin_file{};
  std::string ra_scope{};
  std::vector<std::string> dns{};
  std::vector<std::string> ip{};
  std::string root_key = "P-384";
  std::string issuing_key = "P-256";
  bool tls_key_in_token = false;
  std::string root_subject{};
  std::string issuing_subject{};
  std::string host = "127.0.0.1";
  std::uint16_t port = 8443;

  /// Adds the command to `estia`; parsing it runs it.
  static void add_to(CLI::App& estia);
  void run() const;
};

}  // namespace estia::admin
