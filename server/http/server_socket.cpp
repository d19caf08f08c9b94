// SPDX-License-Identifier: Apache-2.0
#include "server/http/server_socket.h"

#include <Poco/Net/NetException.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace estia::http {

ServerSocketImpl::ServerSocketImpl(std::shared_ptr<Transport> transport)
    : transport_(std::move(transport)) {}

void ServerSocketImpl::adopt(int descriptor) {
  reset(descriptor);
}

Poco::Net::SocketImpl* ServerSocketImpl::acceptConnection(Poco::Net::SocketAddress& client) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int descriptor = ::accept4(sockfd(), reinterpret_cast<sockaddr*>(&address), &size,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // The connection stays in the kernel's queue; without a pause this loop would spin on it.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw Poco::Net::NetException("accept", std::strerror(errno), errno);
  }
  if (!transport_->connections.enter(descriptor)) {
    ::close(descriptor);
    throw Poco::Net::NetException("connection limit");
  }
  try {
    // A client of a Unix socket has no name of its own.
    client = address.ss_family == AF_UNIX
                 ? transport_->own_address
                 : Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&address), size);
    return new ConnectionSocketImpl(descriptor, client, transport_);
  } catch (...) {
    transport_->connections.leave(descriptor);
    ::close(descriptor);
    throw;
  }
}

}  // namespace estia::http
