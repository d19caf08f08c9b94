// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "server/app/snapshot_holder.h"
#include "server/app/token_ca_keys.h"
#include "server/ca/server_keys.h"
#include "server/provision/anchors.h"
#include "server/provision/apply.h"
#include "server/provision/decrypt_key.h"

namespace estia::app {

/// Changes of the run-time configuration while requests are served, one at a time: its keys are
/// found in the token, then it is stored, then it is in force for the next request (D7). A process
/// that dies in between starts with the stored one. Any thread.
class ConfigurationChanges final {
 public:
  /// All of them outlive this object.
  ConfigurationChanges(ca::ConfigurationStore& store, ca::DecryptKeyStore& decrypt_keys,
                       ca::SecretSealer& sealer, const Clock& clock, TokenCaKeys& keys,
                       const ca::ServerKeys& server_keys, SnapshotHolder& snapshots)
      : store_(store),
        decrypt_keys_(decrypt_keys),
        sealer_(sealer),
        clock_(clock),
        keys_(keys),
        server_keys_(server_keys),
        snapshots_(snapshots) {}

  /// Throws what provision::apply, TokenCaKeys::find and ca::check_server_keys throw; then nothing
  /// has changed.
  [[nodiscard]] provision::ApplyReport apply(const provision::ApplyRequest& request);

  /// Whether its keys are in the token, and the token does what it needs. Throws what
  /// TokenCaKeys::find and ca::check_server_keys throw.
  void check_keys(const ca::Snapshot& wanted);

  /// Those of CAs that no request in flight can name any more; at once. To be called now and then.
  void let_go_of_keys() noexcept;

  /// A CRL counts from the next request. Throws what provision::take_crl throws; then nothing has
  /// changed.
  [[nodiscard]] crypto::Crl take_crl(const provision::CrlRequest& request);

  /// Its alias is one of the configuration in force, and the token is not searched meanwhile (see
  /// hsm::SealingKey). Throws what provision::add_decrypt_key throws; then nothing has changed.
  [[nodiscard]] ca::DecryptKey add_decrypt_key(const provision::DecryptKeyPlan& plan,
                                               const std::string& who);

 private:
  ca::ConfigurationStore& store_;
  ca::DecryptKeyStore& decrypt_keys_;
  ca::SecretSealer& sealer_;
  const Clock& clock_;
  TokenCaKeys& keys_;
  const ca::ServerKeys& server_keys_;
  SnapshotHolder& snapshots_;
  std::mutex mutex_;  ///< from the look at the version in force to its successor's publication
};

}  // namespace estia::app
