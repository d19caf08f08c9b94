// SPDX-License-Identifier: Apache-2.0
#include "server/provision/state_layout.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "crypto/base/error.h"

namespace estia::provision {
namespace {

std::filesystem::path absolute_directory(const std::filesystem::path& directory) {
  std::filesystem::path path = std::filesystem::absolute(directory).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw Error(ErrorCode::store, "state.io",
              path.string() + ": " + std::generic_category().message(error));
}

}  // namespace

StateLayout::StateLayout(const std::filesystem::path& directory)
    : directory_(absolute_directory(directory)) {}

StateLock::StateLock(const StateLayout& layout)
    : descriptor_(::open(layout.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                         S_IRUSR | S_IWUSR)) {
  if (descriptor_ < 0) {
    if (errno == ENOENT) {
      throw Error(ErrorCode::config, "state.missing",
                  layout.directory().string() + ": no such directory; make it with estia init");
    }
    fail(layout.lock(), errno);
  }
  // flock, not fcntl: closing some other descriptor of the file must not give the lock away.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor_);
    if (error == EWOULDBLOCK) {
      throw Error(ErrorCode::conflict, "state.locked",
                  "estiad is running (or another estia command); stop it first",
                  layout.lock().string());
    }
    fail(layout.lock(), error);
  }
}

StateLock::~StateLock() {
  ::close(descriptor_);
}

}  // namespace estia::provision
