// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/control_socket.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "hsm/faults/socket_address.h"

namespace estia::hsm::faults {
namespace {

constexpr int kMostConnections = 64;
constexpr std::size_t kLongestLine = 4096;

std::string reason(int number) {
  return std::generic_category().message(number);
}

/// Threads that are made while this lives block every signal: those belong to the program.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  SignalsBlocked(SignalsBlocked&&) = delete;
  SignalsBlocked& operator=(SignalsBlocked&&) = delete;

 private:
  sigset_t before_{};
};

/// Who may write to the directory could put a socket of his own in this one's place.
void check_directory(const std::filesystem::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    throw std::runtime_error(directory.string() + ": " + reason(errno));
  }
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!ours || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw std::runtime_error(directory.string() +
                             ": others may write to the directory of the socket");
  }
}

/// Takes away what a dead process left. What is not certainly that stays.
void remove_stale(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return;  // bind() tells what is wrong
  }
  if (!S_ISSOCK(status.st_mode)) {
    throw std::runtime_error("it is in the way, and not a socket");
  }
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int rc = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = rc == 0 ? 0 : errno;
  ::close(probe);
  if (error != ECONNREFUSED) {
    throw std::runtime_error("another process listens on it");
  }
  ::unlink(path.c_str());
}

int listen_at(const std::filesystem::path& path) {
  const sockaddr_un address = socket_address(path);
  check_directory(path.has_parent_path() ? path.parent_path() : ".");
  remove_stale(path, address);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // The mode of the descriptor becomes the file's: at no moment may others connect.
  if (listener < 0 || ::fchmod(listener, S_IRUSR | S_IWUSR) != 0 ||
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, SOMAXCONN) != 0) {
    const int error = errno;
    ::close(listener);
    throw std::runtime_error(reason(error));
  }
  return listener;
}

bool may_give_orders(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

bool send_all(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool has_hung_up(int connection) {
  pollfd asked{.fd = connection, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLHUP | POLLERR)) != 0;
}

/// The lines of a connection, one after the other, until it ends.
class Lines {
 public:
  explicit Lines(int connection) : connection_(connection) {}

  /// False at the end, and after a line that is too long.
  bool next(std::string& line) {
    for (;;) {
      if (const std::size_t end = buffered_.find('\n'); end != std::string::npos) {
        line = buffered_.substr(0, end);
        buffered_.erase(0, end + 1);
        return true;
      }
      std::array<char, 1024> part{};
      const ssize_t got = ::recv(connection_, part.data(), part.size(), 0);
      if (got <= 0 || buffered_.size() > kLongestLine) {
        return false;
      }
      buffered_.append(part.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int connection_;
  std::string buffered_;
};

}  // namespace

ControlSocket::ControlSocket(const std::filesystem::path& path, Serve serve)
    : serve_(std::move(serve)), listener_(listen_at(path)) {
  const SignalsBlocked blocked;
  std::thread([this] { accept_all(); }).detach();
}

void ControlSocket::leave_in_child() noexcept {
  ::close(listener_.exchange(-1));
}

void ControlSocket::accept_all() {
  ::pthread_setname_np(::pthread_self(), "p11-faults");
  for (;;) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) {  // out of descriptors, perhaps: the program gets time to free some
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    ++connections_;
    try {
      std::thread([this, connection] { serve_one(connection); }).detach();
    } catch (const std::system_error&) {
      ::close(connection);
      --connections_;
    }
  }
}

void ControlSocket::serve_one(int connection) {
  if (!may_give_orders(connection)) {
    send_all(connection, "error: this user may not give orders\n");
  } else if (connections_ > kMostConnections) {
    send_all(connection, "error: too many connections\n");
  } else {
    Lines lines(connection);
    const auto gone = [connection] { return has_hung_up(connection); };
    for (std::string line; lines.next(line) && send_all(connection, serve_(line, gone));) {
    }
  }
  ::close(connection);
  --connections_;
}

}  // namespace estia::hsm::faults
