// SPDX-License-Identifier: Apache-2.0
#include "server/http/server_socket.h"

#include <Poco/Net/NetException.h>

#include <utility>

namespace estia::http {

ServerSocketImpl::ServerSocketImpl(std::shared_ptr<Transport> transport)
    : transport_(std::move(transport)) {}

void ServerSocketImpl::adopt(int descriptor) {
  reset(descriptor);
}

bool ServerSocketImpl::poll(const Poco::Timespan& timeout, int /*mode*/) {
  if (!next_) {
    next_ = transport_->reactor.next(std::chrono::milliseconds(timeout.totalMilliseconds()));
  }
  return next_ != nullptr;
}

Poco::Net::SocketImpl* ServerSocketImpl::acceptConnection(Poco::Net::SocketAddress& client) {
  if (!next_) {
    throw Poco::Net::NetException("nothing to hand over");
  }
  client = next_->peer_address();
  return new ConnectionSocketImpl(std::move(next_), transport_);
}

}  // namespace estia::http
