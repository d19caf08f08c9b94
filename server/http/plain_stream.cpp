// SPDX-License-Identifier: Apache-2.0
#include "server/http/plain_stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace estia::http {

std::optional<LocalPeer> local_peer(int descriptor) noexcept {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
      size != sizeof credentials || credentials.uid == static_cast<uid_t>(-1)) {
    return std::nullopt;
  }
  return LocalPeer{.uid = credentials.uid, .pid = credentials.pid};
}

PeerInfo PlainStream::peer() const {
  PeerInfo peer;
  peer.local = local_peer(descriptor_);
  return peer;
}

IoStatus PlainStream::failed(short events) noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    events_ = events;
    return IoStatus::wait;
  }
  broken_ = true;
  return IoStatus::closed;
}

IoResult PlainStream::read(std::span<char> out) {
  if (broken_) {
    return {};
  }
  const ssize_t size = ::recv(descriptor_, out.data(), out.size(), MSG_DONTWAIT);
  if (size > 0) {
    return {IoStatus::done, static_cast<std::size_t>(size)};
  }
  return {size == 0 ? IoStatus::closed : failed(POLLIN), 0};
}

IoResult PlainStream::write(std::string_view data) {
  if (broken_) {
    return {};
  }
  const ssize_t size = ::send(descriptor_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) {
    return {IoStatus::done, static_cast<std::size_t>(size)};
  }
  return {failed(POLLOUT), 0};
}

bool PlainStream::finish() noexcept {
  return !broken_ && ::shutdown(descriptor_, SHUT_WR) == 0;
}

}  // namespace estia::http
