// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http/peer.h"
#include "server/http/stream.h"

namespace estia::http {

/// A connection's bytes with their beginning and end: TLS, or plain on a Unix socket. The
/// descriptor is borrowed. One thread at a time.
class Channel : public Stream {
 public:
  /// What must happen before the first byte.
  [[nodiscard]] virtual IoStatus establish() = 0;
  /// Whether a byte has come from the other end since establish() began.
  [[nodiscard]] virtual bool heard() const noexcept = 0;
  /// Who is at the other end, without the address. Only after establish().
  [[nodiscard]] virtual PeerInfo peer() const = 0;
  /// For poll() and epoll: what the last call that gave IoStatus::wait waits for.
  [[nodiscard]] virtual short events() const noexcept = 0;
  /// Our side of the end: nothing is written any more. False when there is nobody to tell.
  [[nodiscard]] virtual bool finish() noexcept = 0;
};

/// Reads and drops what the peer still sends, without waiting: a socket that is closed with unread
/// data resets the connection, and the reset overtakes the answer. False at its end, or when it
/// sends without end; `total` counts its bytes.
[[nodiscard]] bool drop_input(int descriptor, std::size_t& total) noexcept;

}  // namespace estia::http
