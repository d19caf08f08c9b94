// SPDX-License-Identifier: Apache-2.0
#include "server/http/plain_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace estia::http {
namespace {

bool must_wait(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

PeerInfo PlainStream::peer() const {
  PeerInfo peer;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 &&
      size == sizeof credentials && credentials.uid != static_cast<uid_t>(-1)) {
    peer.local = LocalPeer{.uid = credentials.uid, .pid = credentials.pid};
  }
  return peer;
}

ReadResult PlainStream::read(std::span<char> out, Deadline deadline) {
  while (!broken_) {
    const ssize_t size = ::recv(descriptor_, out.data(), out.size(), MSG_DONTWAIT);
    if (size > 0) {
      return {ReadStatus::data, static_cast<std::size_t>(size)};
    }
    if (size == 0 || (!must_wait(errno) && errno != EINTR)) {
      break;
    }
    if (must_wait(errno) && !wait_on(descriptor_, POLLIN, deadline)) {
      return {ReadStatus::timed_out, 0};
    }
  }
  return {ReadStatus::closed, 0};
}

bool PlainStream::write(std::string_view data, Deadline deadline) {
  while (!data.empty() && !broken_) {
    const ssize_t size = ::send(descriptor_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      data.remove_prefix(static_cast<std::size_t>(size));
    } else if (must_wait(errno)) {
      broken_ = !wait_on(descriptor_, POLLOUT, deadline);
    } else {
      broken_ = errno != EINTR;
    }
    if (!data.empty() && std::chrono::steady_clock::now() >= deadline) {
      broken_ = true;  // a peer that reads byte by byte never makes us wait long
    }
  }
  return !broken_;
}

void PlainStream::close_gently(Deadline deadline) noexcept {
  if (!broken_) {
    finish_and_drain(descriptor_, deadline);
  }
}

}  // namespace estia::http
