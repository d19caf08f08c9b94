// SPDX-License-Identifier: Apache-2.0
#include "server/http/channel.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace estia::http {
namespace {

constexpr std::size_t kMostDroppedBytes = 16U << 20U;
/// At one time: others wait.
constexpr std::size_t kMostDroppedAtOnce = 256U << 10U;

}  // namespace

bool drop_input(int descriptor, std::size_t& total) noexcept {
  std::array<char, 16384> dropped;
  for (std::size_t now = 0; now < kMostDroppedAtOnce && total < kMostDroppedBytes;) {
    const ssize_t size = ::recv(descriptor, dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (size <= 0) {
      return size < 0 && (errno == EAGAIN || errno == EINTR);
    }
    now += static_cast<std::size_t>(size);
    total += static_cast<std::size_t>(size);
  }
  return total < kMostDroppedBytes;
}

}  // namespace estia::http
