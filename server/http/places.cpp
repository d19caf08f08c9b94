// SPDX-License-Identifier: Apache-2.0
#include "server/http/places.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "crypto/base/error.h"

namespace estia::http {

Wakeup::Wakeup() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) {
    throw Error(ErrorCode::config, "http.epoll", "this machine gives no event descriptor",
                std::strerror(errno));
  }
}

Wakeup::~Wakeup() {
  ::close(descriptor_);
}

void Wakeup::clear() const noexcept {
  std::uint64_t count = 0;
  static_cast<void>(::read(descriptor_, &count, sizeof count) == sizeof count);
}

void Wakeup::signal() noexcept {
  if (asked_.exchange(false)) {
    const std::uint64_t one = 1;
    static_cast<void>(::write(descriptor_, &one, sizeof one) == sizeof one);
  }
}

}  // namespace estia::http
