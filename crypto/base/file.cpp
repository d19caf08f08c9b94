// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/random.h"

namespace estia {
namespace {

class Descriptor final {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(ErrorCode code, const char* id, const std::filesystem::path& path,
                       const std::string& why) {
  throw Error(code, id, path.string() + ": " + why);
}

std::string errno_text() {
  return std::generic_category().message(errno);
}

mode_t bits(FileMode mode) noexcept {
  return mode == FileMode::secret ? 0600 : 0644;
}

void write_all(int fd, std::string_view contents, const std::filesystem::path& path) {
  while (!contents.empty()) {
    const ssize_t written = ::write(fd, contents.data(), contents.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      fail(ErrorCode::store, "file.unwritable", path, errno_text());
    }
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) {
    fail(ErrorCode::store, "file.unwritable", path, errno_text());
  }
}

void sync_folder(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    fail(ErrorCode::store, "file.unwritable", folder, errno_text());
  }
}

void create_and_write(const std::filesystem::path& path, std::string_view contents, FileMode mode) {
  const Descriptor fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, bits(mode)));
  if (fd.get() < 0) {
    if (errno == EEXIST) {
      fail(ErrorCode::conflict, "file.exists", path, "already exists");
    }
    fail(ErrorCode::store, "file.unwritable", path, errno_text());
  }
  try {
    if (::fchmod(fd.get(), bits(mode)) != 0) {  // whatever the umask was
      fail(ErrorCode::store, "file.unwritable", path, errno_text());
    }
    write_all(fd.get(), contents, path);
  } catch (...) {
    ::unlink(path.c_str());  // half a file is worse than none, and O_EXCL would refuse a retry
    throw;
  }
}

std::string read_all(int fd, const std::filesystem::path& path, std::size_t limit) {
  std::string contents;
  std::array<char, 8192> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      fail(ErrorCode::config, "file.unreadable", path, errno_text());
    }
    if (got == 0) {
      cleanse(std::span(reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size()));
      return contents;
    }
    if (contents.size() + static_cast<std::size_t>(got) > limit) {
      fail(ErrorCode::config, "file.too_large", path,
           "larger than " + std::to_string(limit) + " bytes");
    }
    contents.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// RFC 7030 6 and our own rule: a secret that others can read is not one.
void check_secret_file(int fd, const std::filesystem::path& path, mode_t forbidden) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    fail(ErrorCode::config, "file.unreadable", path, errno_text());
  }
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorCode::config, "file.secret_kind", path, "not a regular file");
  }
  if ((status.st_mode & forbidden) != 0) {
    fail(ErrorCode::config, "file.secret_mode", path,
         "group or others have access to this secret; chmod 600 it");
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    fail(ErrorCode::config, "file.secret_owner", path, "this secret belongs to another user");
  }
}

Secret read_secret(const std::filesystem::path& path, mode_t forbidden) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer before it can be refused.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) {
    fail(ErrorCode::config, "file.unreadable", path, errno_text());
  }
  check_secret_file(fd.get(), path, forbidden);
  constexpr std::size_t kLongestSecret = 4096;
  std::string contents = read_all(fd.get(), path, kLongestSecret);
  std::string_view text = contents;
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
  }
  Secret secret(text);
  cleanse(contents);
  if (secret.empty()) {
    fail(ErrorCode::config, "file.secret_empty", path, "the secret is empty");
  }
  if (secret.text().find('\0') != std::string_view::npos) {
    fail(ErrorCode::config, "file.secret_nul", path, "the secret contains a NUL");
  }
  return secret;
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    fail(ErrorCode::config, "file.unreadable", path, errno_text());
  }
  return read_all(fd.get(), path, limit);
}

Secret read_secret_file(const std::filesystem::path& path) {
  return read_secret(path, 077U);
}

Secret read_credential_file(const std::filesystem::path& path) {
  return read_secret(path, 027U);
}

void write_new_file(const std::filesystem::path& path, std::string_view contents, FileMode mode) {
  create_and_write(path, contents, mode);
  sync_folder(path);
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    fail(ErrorCode::store, "file.unwritable", to, errno_text());
  }
  sync_folder(to);
}

void replace_file(const std::filesystem::path& path, std::string_view contents, FileMode mode) {
  const std::filesystem::path temporary = path.string() + "." + random_text(64) + ".tmp";
  create_and_write(temporary, contents, mode);
  try {
    rename_file(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace estia
