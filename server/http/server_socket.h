// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/ServerSocketImpl.h>

#include <memory>

#include "server/http/connection_socket.h"

namespace estia::http {

/// The listening socket as Poco's TCPServer sees it, whose acceptor runs the reactor: poll() waits
/// until a connection can go on, acceptConnection() gives it to Poco's workers.
class ServerSocketImpl final : public Poco::Net::ServerSocketImpl {
 public:
  explicit ServerSocketImpl(std::shared_ptr<Transport> transport);

  /// Listens on a Unix socket that UnixSocketFile has bound; takes the descriptor.
  void adopt(int descriptor);

  bool poll(const Poco::Timespan& timeout, int mode) override;
  /// What poll() found. Throws Poco::Net::NetException when there was nothing.
  Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& client) override;

 private:
  ~ServerSocketImpl() override = default;

  const std::shared_ptr<Transport> transport_;
  std::unique_ptr<Connection> next_;
};

}  // namespace estia::http
