// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http/peer.h"
#include "server/http/stream.h"

namespace estia::http {

/// A connection's bytes with their beginning and end: TLS, or plain on a Unix socket. One thread at
/// a time.
class Channel : public Stream {
 public:
  /// What must happen before the first byte; false when it failed or took too long.
  [[nodiscard]] virtual bool establish(Deadline deadline) = 0;
  /// Who is at the other end, without the address. Only after establish().
  [[nodiscard]] virtual PeerInfo peer() const = 0;
  /// Says good-bye so that the peer can read our last answer. Bounded in time and bytes.
  virtual void close_gently(Deadline deadline) noexcept = 0;
};

/// Waits for poll()'s `events`; false when the deadline has passed.
[[nodiscard]] bool wait_on(int descriptor, short events, Deadline deadline) noexcept;

/// FIN, then reads and drops what the peer still sends until it ends, too: a socket closed with
/// unread data resets the connection, and the reset overtakes the answer.
void finish_and_drain(int descriptor, Deadline deadline) noexcept;

}  // namespace estia::http
