// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http/channel.h"

namespace estia::http {

/// A connected, non-blocking Unix socket. Who is at its other end was told by the kernel when the
/// peer connected (SO_PEERCRED). The descriptor is borrowed.
class PlainStream final : public Channel {
 public:
  explicit PlainStream(int descriptor) noexcept : descriptor_(descriptor) {}

  [[nodiscard]] bool establish(Deadline /*deadline*/) override { return true; }
  /// Without credentials of the peer when the kernel tells none.
  [[nodiscard]] PeerInfo peer() const override;
  [[nodiscard]] ReadResult read(std::span<char> out, Deadline deadline) override;
  [[nodiscard]] bool write(std::string_view data, Deadline deadline) override;
  void close_gently(Deadline deadline) noexcept override;

 private:
  int descriptor_;
  bool broken_ = false;  ///< part of a write may have left: nothing can follow it
};

}  // namespace estia::http
