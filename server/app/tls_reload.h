// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

#include "crypto/base/clock.h"
#include "server/app/process_config.h"
#include "server/app/tls_identity.h"
#include "server/ca/audit.h"
#include "server/est/key_delivery.h"
#include "server/http/server.h"

namespace estia::app {

/// A new certificate for the EST listener, while it runs. Any thread.
class TlsReload final {
 public:
  /// All of them outlive this object; `shown` is in force.
  TlsReload(const ProcessConfig::EstListener& files, TokenKeySource token_keys,
            crypto::Certificate shown, http::Server& server, est::KeyDelivery& delivery,
            ca::AuditLog& audit, const Clock& clock)
      : files_(files),
        token_keys_(std::move(token_keys)),
        server_(server),
        delivery_(delivery),
        audit_(audit),
        clock_(clock),
        shown_(std::move(shown)) {}

  /// Reads the listener's files again, tries them out, and shows the new certificate to every
  /// connection from then on; encrypted packages are signed by its key. One at a time. Throws what
  /// load_tls_identity and http::Server::prepare throw, Error{store}: then the old one is still in
  /// force, and log and audit trail say so.
  crypto::Certificate reload(const std::string& who);

  [[nodiscard]] crypto::Certificate certificate() const;

 private:
  void audit(const std::string& who, const std::string& outcome, const std::string& detail);

  const ProcessConfig::EstListener& files_;
  const TokenKeySource token_keys_;
  http::Server& server_;
  est::KeyDelivery& delivery_;
  ca::AuditLog& audit_;
  const Clock& clock_;
  std::mutex reloading_;      ///< held from the files to what is in force
  mutable std::mutex mutex_;  ///< guards shown_, for a moment
  crypto::Certificate shown_;
};

}  // namespace estia::app
