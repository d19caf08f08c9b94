// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/load.h"
#include "bench/stock.h"
#include "crypto/x509/certificate.h"
#include "hsm/token.h"
#include "server/http/server.h"
#include "tests/e2e/support/estiad_process.h"
#include "tests/e2e/support/installation.h"

namespace estia::bench {

/// A token and a CA made by `estia init` in a directory of its own, `estiad` over them, and devices
/// that it has enrolled. All of it goes with this object.
class Site final {
 public:
  Site();

  [[nodiscard]] const e2e::Installation& installation() const noexcept { return installation_; }
  /// What estiad shows its clients.
  [[nodiscard]] http::TlsIdentity server_identity() const;

  [[nodiscard]] crypto::Certificate issuing_ca() const;
  /// How this process opens the same token; only while estiad does not run.
  [[nodiscard]] hsm::TokenConfig token() const;

  /// From its next start on estiad gives out keys, as PKCS #8 and encrypted; `limits` are the lines
  /// of [serverkeygen] in estia.toml. Only while it does not run.
  void serve_keys(const std::string& limits);

  /// Starts estiad and enrols `devices` of them.
  void start(std::size_t devices);
  /// Throws std::runtime_error unless estiad ends with 0.
  void stop();
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] Served served();
  /// Key pairs that estiad has ready at this moment.
  [[nodiscard]] Stock stock() const;

  /// Clients that enrol `each` new devices with the account's password.
  [[nodiscard]] std::vector<Client> account_clients(std::size_t clients, std::size_t each,
                                                    Connections connections);
  /// Clients that each renew one device's certificate `each` times with its certificate, for a new
  /// key every time.
  [[nodiscard]] std::vector<Client> device_clients(std::size_t clients, std::size_t each,
                                                   Connections connections);
  /// Clients that each have `each` keys made for new devices with the account's password, of the
  /// kind of `key`, which signs the requests.
  [[nodiscard]] std::vector<Client> key_clients(std::size_t clients, std::size_t each,
                                                const crypto::PrivateKey& key);

 private:
  struct Device {
    std::string subject;
    http::TlsIdentity identity;
    crypto::SslCtxPtr context;
  };
  [[nodiscard]] Device enroll(std::size_t number) const;
  [[nodiscard]] std::string authorization() const;
  /// `estia ARGUMENTS... --state DIR`; its output. Throws std::runtime_error unless it ends with 0.
  std::string estia(std::vector<std::string> arguments) const;

  e2e::Installation installation_;
  crypto::SslCtxPtr anonymous_;
  std::unique_ptr<e2e::EstiadProcess> server_;
  std::vector<Device> devices_;
  std::size_t names_ = 0;
  std::string process_file_;  // estia.toml as `estia init` wrote it; empty until it is changed
};

/// A request for a new P-256 key.
[[nodiscard]] Bytes new_csr(const std::string& subject);

}  // namespace estia::bench
