// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include "crypto/openssl/owned.h"
#include "server/http/channel.h"

namespace estia::http {

/// TLS over a connected, non-blocking socket.
class TlsStream final : public Channel {
 public:
  TlsStream(int descriptor, crypto::SslPtr ssl);

  /// The server's side of the handshake.
  [[nodiscard]] IoStatus establish() override;
  [[nodiscard]] bool heard() const noexcept override;
  [[nodiscard]] PeerInfo peer() const override;
  [[nodiscard]] IoResult read(std::span<char> out) override;
  [[nodiscard]] IoResult write(std::string_view data) override;
  [[nodiscard]] short events() const noexcept override { return events_; }
  /// With close_notify. False if the handshake did not get that far.
  [[nodiscard]] bool finish() noexcept override;

 private:
  [[nodiscard]] IoStatus status_of(int result) noexcept;

  int descriptor_;
  crypto::SslPtr ssl_;
  short events_ = POLLIN;
  bool established_ = false;
  bool broken_ = false;  ///< OpenSSL forbids to go on, or the peer is gone
};

}  // namespace estia::http
