// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/openssl/owned.h"
#include "server/http/server.h"

namespace estia::http {

/// How this server speaks TLS: 1.2 and 1.3, ECDHE with AEAD, no renegotiation, no resumption unless
/// it is wanted (EST-3.3-b, EST-6-a, D14). A client certificate is asked for, never required, and
/// never judged here (EST-3.3.2-b): PeerInfo hands on what was sent. Immutable; any thread.
class TlsContext final {
 public:
  /// Throws Error{config, "tls.identity"} when key and chain do not go together.
  TlsContext(const TlsIdentity& identity, Resumption resumption,
             std::chrono::seconds session_lifetime = kSessionLifetime);

  /// The server's end of a new connection.
  [[nodiscard]] crypto::SslPtr new_connection() const;
  /// After a handshake: a session that was taken up is as old as the first one, in which the client
  /// has shown that it holds its key. OpenSSL lets each begin a new life in TLS 1.3.
  static void keep_age(SSL* ssl) noexcept;
  /// The same, and it knows no session from before.
  [[nodiscard]] std::shared_ptr<const TlsContext> without_sessions() const;

 private:
  const TlsIdentity identity_;
  const Resumption resumption_;
  const std::chrono::seconds session_lifetime_;
  crypto::SslCtxPtr context_;
};

}  // namespace estia::http
