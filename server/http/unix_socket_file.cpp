// SPDX-License-Identifier: Apache-2.0
#include "server/http/unix_socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "crypto/base/error.h"

namespace estia::http {
namespace {

constexpr mode_t kDirectoryMode = S_IRWXU | S_IRGRP | S_IXGRP;
constexpr mode_t kForbiddenToOthers = S_IWGRP | S_IRWXO;
constexpr mode_t kSocketMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP;

[[noreturn]] void refuse(const char* id, const std::filesystem::path& path,
                         const std::string& reason) {
  throw Error(ErrorCode::config, id, path.string() + ": " + reason);
}

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

sockaddr_un address_of(const std::filesystem::path& path) {
  const std::string& text = path.native();
  if (text.empty() || text.size() > kLongestSocketPath) {
    refuse("http.socket_path", path,
           "the path of a socket has at most " + std::to_string(kLongestSocketPath) +
               " bytes, this one has " + std::to_string(text.size()));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  text.copy(address.sun_path, text.size());
  return address;
}

/// Who may enter the directory decides who may connect, so it must be ours.
void prepare_directory(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), S_IRWXU) == 0) {
    if (::chmod(directory.c_str(), kDirectoryMode) != 0) {
      refuse("http.socket_directory", directory, reason_of(errno));
    }
    return;
  }
  if (errno != EEXIST) {
    refuse("http.socket_directory", directory, reason_of(errno));
  }
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    refuse("http.socket_directory", directory, "is not a directory");
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & kForbiddenToOthers) != 0) {
    refuse("http.socket_directory", directory,
           "must belong to the user estiad runs as, with mode 0750 or less");
  }
}

/// Whether a process listens on the socket. What is not known for certain is a refusal: a socket
/// that is taken for dead is taken away from whoever listens on it.
bool answers(const std::filesystem::path& path, const sockaddr_un& address) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = descriptor < 0 ? errno : 0;
  if (descriptor >= 0) {
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      error = errno;
    }
    ::close(descriptor);
  }
  if (error == 0 || error == EAGAIN) {  // EAGAIN: as many wait as it lets wait
    return true;
  }
  if (error == ECONNREFUSED || error == ENOENT) {
    return false;
  }
  refuse("http.socket_unknown", path,
         "cannot tell whether another process listens on it: " + reason_of(error));
}

void remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return;  // bind() tells what is wrong
  }
  if (!S_ISSOCK(status.st_mode)) {
    refuse("http.socket_path", path, "is in the way: it is not a socket");
  }
  if (answers(path, address)) {
    refuse("http.socket_in_use", path, "another process listens on it");
  }
  ::unlink(path.c_str());
}

}  // namespace

UnixSocketFile::UnixSocketFile(std::filesystem::path path) : path_(std::move(path)) {
  const sockaddr_un address = address_of(path_);
  prepare_directory(path_.parent_path());
  remove_stale(path_, address);
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor_ < 0 ||
      ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(descriptor_);
    refuse("http.socket_path", path_, reason_of(error));
  }
  if (::chmod(path_.c_str(), kSocketMode) != 0) {
    const int error = errno;
    ::close(descriptor_);
    ::unlink(path_.c_str());
    refuse("http.socket_path", path_, reason_of(error));
  }
}

UnixSocketFile::~UnixSocketFile() {
  ::unlink(path_.c_str());
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

int UnixSocketFile::take_descriptor() noexcept {
  return std::exchange(descriptor_, -1);
}

}  // namespace estia::http
