// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include "server/http/channel.h"

namespace estia::http {

/// A connected, non-blocking Unix socket. Who is at its other end was told by the kernel when the
/// peer connected (SO_PEERCRED).
class PlainStream final : public Channel {
 public:
  explicit PlainStream(int descriptor) noexcept : descriptor_(descriptor) {}

  [[nodiscard]] IoStatus establish() override { return IoStatus::done; }
  [[nodiscard]] bool heard() const noexcept override { return true; }
  /// Without credentials of the peer when the kernel tells none.
  [[nodiscard]] PeerInfo peer() const override;
  [[nodiscard]] IoResult read(std::span<char> out) override;
  [[nodiscard]] IoResult write(std::string_view data) override;
  [[nodiscard]] short events() const noexcept override { return events_; }
  [[nodiscard]] bool finish() noexcept override;

 private:
  [[nodiscard]] IoStatus failed(short events) noexcept;

  int descriptor_;
  short events_ = POLLIN;
  bool broken_ = false;
};

/// Whom the kernel names at the other end of a Unix socket.
[[nodiscard]] std::optional<LocalPeer> local_peer(int descriptor) noexcept;

}  // namespace estia::http
