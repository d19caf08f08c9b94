// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Version.h>

#include <atomic>
#include <memory>
#include <string>

#include "server/http/connection.h"
#include "server/http/transport.h"

namespace estia::http {

/// A connection's turn with a worker, as Poco's HTTPServerConnection sees it. poll() goes on with
/// the connection as far as it can; when a complete, checked request is there, receiveBytes() gives
/// Poco a head of our own making: nothing a client wrote into a header field reaches Poco's parser,
/// and since it ends with the head, Poco never buffers bytes of the next request. The adapter takes
/// the request itself from connection(). When nothing can be done, poll() is false, Poco closes,
/// and the connection is parked instead. One worker.
class ConnectionSocketImpl final : public Poco::Net::StreamSocketImpl {
 public:
  ConnectionSocketImpl(std::unique_ptr<Connection> connection,
                       std::shared_ptr<Transport> transport);

  bool poll(const Poco::Timespan& timeout, int mode) override;
  int receiveBytes(void* buffer, int length, int flags) override;
  int sendBytes(const void* buffer, int length, int flags) override;
  void close() override;
#if POCO_VERSION >= 0x010E0000
  int shutdown() override;
#else
  void shutdown() override;
#endif
  /// TCPServer sets TCP options unless this is UNIX_LOCAL.
  Poco::Net::SocketAddress address() override;
  Poco::Net::SocketAddress peerAddress() override;
  void setReceiveTimeout(const Poco::Timespan& timeout) override;
  void setSendTimeout(const Poco::Timespan& timeout) override;
  void setRawOption(int level, int option, const void* value, poco_socklen_t length) override;
  bool secure() const override {
    return transport_->tls != nullptr;
  }

  /// Until close().
  [[nodiscard]] Connection& connection() noexcept {
    return *connection_;
  }
  [[nodiscard]] Transport& transport() noexcept {
    return *transport_;
  }

 private:
  ~ConnectionSocketImpl() override;

  const std::shared_ptr<Transport> transport_;  // first: it outlives the connection
  std::unique_ptr<Connection> connection_;      // null once it is closed or parked
  const Poco::Net::SocketAddress peer_address_;
  bool park_ = false;
  /// The acceptor may be the one to drop the last reference: what the worker did before it closed
  /// happened before that, which Poco's own counting shows to no checker.
  std::atomic<bool> closed_{false};
  std::string head_;  ///< for Poco's parser
};

}  // namespace estia::http
