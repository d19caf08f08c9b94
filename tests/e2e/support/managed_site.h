// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/support/est_client.h"

namespace estia::e2e {

/// The certificate profile `ra`: registration authorities by cmcRA.
inline constexpr const char* kRaProfile = R"(
[[certificate_profile]]
name = "ra"
validity = "30d"
key_types = ["P-256"]
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth", "cmcRA"]
)";

/// An estiad that runs, its clients, and an operator who manages it through its socket.
class ManagedSite : public testing::Test {
 protected:
  explicit ManagedSite(const std::string& ra_scope = "any",
                       const std::vector<std::string>& init_arguments = {});
  ~ManagedSite() override;

  void start();
  /// SIGKILL, and a new start on the same state.
  void kill_and_start();
  [[nodiscard]] std::string state() const { return installation.state().string(); }
  /// `estia ARGUMENTS... --state DIR`, which must succeed; its output.
  std::string estia_ok(std::vector<std::string> arguments) const;
  [[nodiscard]] Finished estia(std::vector<std::string> arguments) const;
  /// `estia apply` of this document.
  [[nodiscard]] Finished apply(const std::string& document) const;
  /// Adds these lines to the configuration in force; true when they were taken.
  bool add_configuration(const std::string& lines) const;
  /// Replaces the first occurrence in the configuration in force.
  bool change_configuration(const std::string& from, const std::string& to) const;
  [[nodiscard]] std::string serial_of(const std::filesystem::path& certificate) const;
  /// The username on record for a certificate.
  [[nodiscard]] std::string username_of(const std::filesystem::path& certificate) const;

  /// An end entity of the CA `issuing` with the end-entity profile `device`, for client mode;
  /// `more` are further arguments of `estia entity add`.
  void register_entity(const std::string& username, const std::string& subject,
                       const std::vector<std::string>& more = {},
                       const std::string& certificate_profile = "device") const;
  /// An enrolment code for it.
  [[nodiscard]] std::string new_code(const std::string& username, int uses = 1) const;
  /// Whether estiad's log says this; a request is logged once its answer is sent, so wait for it.
  [[nodiscard]] bool logged(const std::string& text) const;
  /// A page of listener.ops, where estia.toml has one.
  [[nodiscard]] std::string ops_page(const std::string& path) const;

  Installation installation;
  std::unique_ptr<EstiadProcess> server;
  std::unique_ptr<EstClient> client;
};

}  // namespace estia::e2e
