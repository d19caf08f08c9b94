// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/x509/certificate.h"

namespace estia::http {

/// A process on this machine, as the kernel saw it when it connected.
struct LocalPeer {
  unsigned uid = 0;
  int pid = 0;
};

/// Who is at the other end, taken once from the connection. The chain is what the client sent,
/// unjudged: whoever gives it rights validates it for its own anchors and looks up revocation, per
/// request. Possession of the leaf's key is proven by TLS.
struct PeerInfo {
  std::string address;      ///< "192.0.2.7", "2001:db8::1", "unix"
  std::string tls_version;  ///< "TLSv1.2", "TLSv1.3"; empty on a Unix socket
  std::vector<crypto::Certificate>
      chain;  ///< leaf first; empty when the client sent none or one that does not parse
  /// tls-unique (TLS 1.2 with extended master secret, full handshake, 12 bytes; RFC 5929) or
  /// tls-exporter (TLS 1.3, 32 bytes; RFC 9266); absent where neither is defined (TLSX-5929-d/e,
  /// TLSX-9266-c).
  std::optional<Bytes> channel_binding;
  std::optional<LocalPeer> local;  ///< on Unix sockets only
};

}  // namespace estia::http
