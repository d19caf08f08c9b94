// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/openssl/owned.h"
#include "server/http/stream.h"

namespace estia::http {

/// TLS over a connected, non-blocking socket; the deadlines are ours, not the kernel's. The
/// descriptor is borrowed.
class TlsStream final : public Stream {
 public:
  TlsStream(int descriptor, crypto::SslPtr ssl);

  /// The server's side of the handshake; false when it failed or took too long.
  [[nodiscard]] bool handshake(Deadline deadline);
  [[nodiscard]] ReadResult read(std::span<char> out, Deadline deadline) override;
  [[nodiscard]] bool write(std::string_view data, Deadline deadline) override;

  /// Says good-bye so that the peer can read our last answer: close_notify, FIN, then reads and
  /// drops what the peer still sends until it ends, too (a socket closed with unread data resets
  /// the connection, and the reset overtakes the answer). Bounded in time and bytes.
  void close_gently(Deadline deadline) noexcept;

  [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }

 private:
  enum class Wait { again, timed_out, broken };
  Wait wait_for(int result, Deadline deadline) noexcept;

  int descriptor_;
  crypto::SslPtr ssl_;
  bool established_ = false;
  bool broken_ = false;  ///< OpenSSL forbids to go on, or the peer is gone
};

}  // namespace estia::http
