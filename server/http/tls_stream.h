// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/openssl/owned.h"
#include "server/http/channel.h"

namespace estia::http {

/// TLS over a connected, non-blocking socket; the deadlines are ours, not the kernel's. The
/// descriptor is borrowed.
class TlsStream final : public Channel {
 public:
  TlsStream(int descriptor, crypto::SslPtr ssl);

  /// The server's side of the handshake.
  [[nodiscard]] bool establish(Deadline deadline) override;
  [[nodiscard]] PeerInfo peer() const override;
  [[nodiscard]] ReadResult read(std::span<char> out, Deadline deadline) override;
  [[nodiscard]] bool write(std::string_view data, Deadline deadline) override;

  /// With close_notify, if the handshake got that far.
  void close_gently(Deadline deadline) noexcept override;

 private:
  enum class Wait { again, timed_out, broken };
  Wait wait_for(int result, Deadline deadline) noexcept;

  int descriptor_;
  crypto::SslPtr ssl_;
  bool established_ = false;
  bool broken_ = false;  ///< OpenSSL forbids to go on, or the peer is gone
};

}  // namespace estia::http
