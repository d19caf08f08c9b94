// SPDX-License-Identifier: Apache-2.0
#include "server/http/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace estia::http {
namespace {

constexpr std::size_t kMostDrainedBytes = 16U << 20U;

}  // namespace

bool wait_on(int descriptor, short events, Deadline deadline) noexcept {
  for (auto now = std::chrono::steady_clock::now(); now < deadline;
       now = std::chrono::steady_clock::now()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
    pollfd entry{descriptor, events, 0};
    const auto timeout = std::min<long long>(left.count(), 60'000);
    const int ready = ::poll(&entry, 1, static_cast<int>(timeout));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return false;
    }
  }
  return false;
}

void finish_and_drain(int descriptor, Deadline deadline) noexcept {
  if (::shutdown(descriptor, SHUT_WR) != 0) {
    return;
  }
  std::array<char, 16384> dropped;
  std::size_t total = 0;
  while (total < kMostDrainedBytes && wait_on(descriptor, POLLIN, deadline)) {
    const ssize_t size = ::recv(descriptor, dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
      return;
    }
    total += size > 0 ? static_cast<std::size_t>(size) : 0;
  }
}

}  // namespace estia::http
