// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hsm/key_uri.h"
#include "hsm/token.h"
#include "server/http/server.h"

namespace estia::app {

/// The process configuration, `estia.toml` in the state directory (D6): where the daemon listens,
/// stores and signs. Paths are absolute here; in the file they may be relative to the state
/// directory. What the CA does is the run-time configuration in the store.
struct ProcessConfig {
  struct EstListener {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8443;          ///< 0 = any free one
    std::filesystem::path certificate;  ///< PEM, the server's own certificate first
    std::filesystem::path key;          ///< PEM, a file of mode 0600; empty with token_key
    std::optional<hsm::KeyUri> token_key{};
    http::Networks proxies{};  ///< load balancers that speak the PROXY protocol
    http::Resumption resumption = http::Resumption::off;
  };
  struct ManagementListener {
    bool enabled = true;
    std::filesystem::path socket;  ///< at most 107 bytes
    std::vector<unsigned> uids;    ///< users allowed besides the one estiad runs as
  };
  /// Health, readiness and metrics, in plain HTTP: for this machine, or a network of machines that
  /// watch it.
  struct OpsListener {
    bool enabled = false;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0 = any free one
  };
  /// Where a token's PIN comes from.
  enum class PinFrom {
    file,        ///< pin_file
    credential,  ///< pin_credential
    operators,   ///< `estia token activate`, or estiad --ask-pin
  };
  struct Token {
    std::filesystem::path module;  ///< the PKCS#11 library
    std::string init_args;         ///< C_Initialize's pReserved; empty = none
    std::string label;             ///< at least one of label and serial
    std::string serial;
    PinFrom pin_from = PinFrom::file;
    std::filesystem::path pin_file;      ///< mode 0600
    std::string pin_credential{};        ///< name in systemd's $CREDENTIALS_DIRECTORY
    std::filesystem::path pin_marker{};  ///< written when the token refuses it
    unsigned max_sessions = 64;
    std::chrono::milliseconds session_wait{5000};
    std::chrono::milliseconds call_limit{30'000};
    hsm::Signing signing = hsm::Signing::native;
  };

  /// Keys that are made for clients.
  struct ServerKeygen {
    std::string token{};       ///< by its name in `tokens`; empty: `token`
    unsigned at_once = 4;      ///< sessions of the token that they may take, besides RSA
    unsigned rsa_at_once = 1;  ///< likewise; each is busy for seconds
    /// Pairs made in advance, by kind of key; those that are absent are made when asked for.
    std::map<std::string, std::size_t> stock{};
  };

  /// What `token` is called among `tokens`, in commands, labels and the audit trail.
  static constexpr const char* kMainToken = "main";

  std::filesystem::path file;  ///< where this was read from
  EstListener est;
  ManagementListener management;
  OpsListener ops;
  std::filesystem::path store;
  Token token;                            ///< the main one: it also seals the store's secrets
  std::map<std::string, Token> tokens{};  ///< others, by name, for keys of CAs and of TLS
  ServerKeygen serverkeygen;
  http::Limits limits;
  std::chrono::milliseconds drain{20000};
  /// From red readiness to the end of accepting: for load balancers to notice.
  std::chrono::milliseconds drain_notice{0};
  std::string log_level = "info";  ///< trace, debug, info, warn, error
};

/// Reads and checks the whole file; opens nothing that it names. Throws Error{config, ...} naming
/// file, line, key and reason: "config.syntax", those of TomlSection, "config.token_twice" (the
/// file and both tables), "file.unreadable".
[[nodiscard]] ProcessConfig load_process_config(const std::filesystem::path& file,
                                                const std::filesystem::path& state);

}  // namespace estia::app
