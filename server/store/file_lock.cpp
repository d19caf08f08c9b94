// SPDX-License-Identifier: Apache-2.0
#include "server/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "crypto/base/error.h"

namespace estia::store {
namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path)
    : descriptor_(
          ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)) {
  if (descriptor_ < 0) {
    throw Error(ErrorCode::store, "store.io", "the store cannot be locked",
                path.string() + ": " + reason(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor_);
    if (error == EWOULDBLOCK) {
      throw Error(ErrorCode::store, "store.locked", "the store is in use by another process",
                  path.string());
    }
    throw Error(ErrorCode::store, "store.io", "the store cannot be locked",
                path.string() + ": " + reason(error));
  }
}

FileLock::~FileLock() {
  ::close(descriptor_);
}

}  // namespace estia::store
