// SPDX-License-Identifier: Apache-2.0
#include "server/http/connection_socket.h"

#include <Poco/Net/NetException.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace estia::http {
namespace {

/// Poco wants to know where it is reached with every request. Nobody here asks.
const Poco::Net::SocketAddress& own_address(const Transport& transport) {
  static const Poco::Net::SocketAddress somewhere;
  return transport.tls ? somewhere : transport.own_address;
}

}  // namespace

ConnectionSocketImpl::ConnectionSocketImpl(std::unique_ptr<Connection> connection,
                                           std::shared_ptr<Transport> transport)
    : transport_(std::move(transport)),
      connection_(std::move(connection)),
      peer_address_(connection_->peer_address()) {
  reset(connection_->descriptor());  // Poco asks initialized()
}

ConnectionSocketImpl::~ConnectionSocketImpl() {
  static_cast<void>(closed_.load(std::memory_order_acquire));
  reset();  // the base class would close it
}

bool ConnectionSocketImpl::poll(const Poco::Timespan& /*timeout*/, int mode) {
  if ((mode & SELECT_READ) == 0) {
    return true;
  }
  if (!connection_ || park_) {
    return false;
  }
  const Connection::Next next = connection_->advance();
  park_ = next == Connection::Next::wait;
  if (next == Connection::Next::request) {
    head_ = connection_->head_for_poco();
  }
  return next == Connection::Next::request;
}

int ConnectionSocketImpl::receiveBytes(void* buffer, int length, int /*flags*/) {
  const std::size_t size = std::min(head_.size(), static_cast<std::size_t>(std::max(length, 0)));
  std::memcpy(buffer, head_.data(), size);
  head_.erase(0, size);
  return static_cast<int>(size);
}

int ConnectionSocketImpl::sendBytes(const void* buffer, int length, int /*flags*/) {
  if (connection_) {
    connection_->send({static_cast<const char*>(buffer), static_cast<std::size_t>(length)});
  }
  if (!connection_ || connection_->broken()) {
    throw Poco::Net::ConnectionAbortedException("the client is gone");
  }
  return length;
}

void ConnectionSocketImpl::close() {
  if (!connection_) {
    return;
  }
  reset();
  std::unique_ptr<Connection> connection = std::move(connection_);
  if (std::exchange(park_, false) || connection->close()) {
    transport_->reactor.park(std::move(connection));
  }
  connection.reset();
  closed_.store(true, std::memory_order_release);
}

#if POCO_VERSION >= 0x010E0000
int ConnectionSocketImpl::shutdown() {
  return 0;
}
#else
void ConnectionSocketImpl::shutdown() {}  // its answer may not be sent yet
#endif

Poco::Net::SocketAddress ConnectionSocketImpl::address() {
  return own_address(*transport_);
}

Poco::Net::SocketAddress ConnectionSocketImpl::peerAddress() {
  return peer_address_;
}

void ConnectionSocketImpl::setReceiveTimeout(const Poco::Timespan& /*timeout*/) {}
void ConnectionSocketImpl::setSendTimeout(const Poco::Timespan& /*timeout*/) {}
void ConnectionSocketImpl::setRawOption(int /*level*/, int /*option*/, const void* /*value*/,
                                        poco_socklen_t /*length*/) {}

}  // namespace estia::http
