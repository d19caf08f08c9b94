// SPDX-License-Identifier: Apache-2.0
#include "server/ops/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "tests/support/scratch_directory.h"

namespace estia::ops {
namespace {

/// A service manager's end.
class Manager final {
 public:
  explicit Manager(const std::string& name)
      : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name.front() == '@') {
      address.sun_path[0] = '\0';
    }
    const timeval limit{5, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    ::close(descriptor_);
    ::unsetenv("NOTIFY_SOCKET");
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  Manager(Manager&&) = delete;
  Manager& operator=(Manager&&) = delete;

  [[nodiscard]] std::string heard() const {
    std::array<char, 100> text{};
    const ssize_t size = ::recv(descriptor_, text.data(), text.size(), 0);
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  int descriptor_;
};

TEST(Notify, TellsTheServiceManager) {
  const test::ScratchDirectory scratch;
  for (const std::string& name :
       {(scratch.path() / "notify").string(), "@estia-test-" + std::to_string(::getpid())}) {
    const Manager manager(name);
    notify("READY=1");
    EXPECT_EQ(manager.heard(), "READY=1") << name;
  }
}

TEST(Notify, WithoutOneNothingHappens) {
  ::unsetenv("NOTIFY_SOCKET");
  notify("READY=1");
  for (const std::string& name : {std::string(), std::string("relative"), std::string(200, '/'),
                                  std::string("/nowhere/socket")}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    notify("READY=1");
  }
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace estia::ops
