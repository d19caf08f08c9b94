// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/ServerSocketImpl.h>

#include <filesystem>
#include <memory>

#include "server/http/connection_socket.h"

namespace estia::http {

/// The listening socket. It only accepts: the handshake belongs to a worker.
class ServerSocketImpl final : public Poco::Net::ServerSocketImpl {
 public:
  explicit ServerSocketImpl(std::shared_ptr<Transport> transport);

  /// Listens on a Unix socket that UnixSocketFile has bound; takes the descriptor.
  void adopt(int descriptor);

  /// Throws Poco exceptions, which the acceptor's loop survives, when there is nothing to accept or
  /// the connection is not admitted.
  Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& client) override;

 private:
  ~ServerSocketImpl() override = default;

  std::shared_ptr<Transport> transport_;
};

}  // namespace estia::http
