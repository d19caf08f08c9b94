// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Version.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/channel.h"
#include "server/http/connections.h"
#include "server/http/request_reader.h"
#include "server/http/tls_context.h"

namespace estia::http {

/// What all connections of a listener share; it outlives every one of them.
struct Transport {
  Transport(const Limits& limits_of_all, std::optional<TlsContext> with,
            Poco::Net::SocketAddress own, std::shared_ptr<const Router> routes)
      : limits(limits_of_all),
        tls(std::move(with)),
        own_address(std::move(own)),
        router(std::move(routes)),
        connections(limits.connections, limits.workers) {}

  Limits limits;
  std::optional<TlsContext> tls;         ///< absent: plain, on a Unix socket
  Poco::Net::SocketAddress own_address;  ///< of the Unix socket
  std::shared_ptr<const Router> router;
  Connections connections;
};

/// One connection as Poco's HTTPServerConnection sees it. poll() does the handshake (TLS)
/// and takes a complete, checked request off the wire; receiveBytes() then gives Poco a head of our
/// own making: nothing a client wrote into a header field reaches Poco's parser, and since it ends
/// with the head, Poco never buffers bytes of the next request. The adapter takes the request
/// itself by take_request(). Used by one worker at a time.
class ConnectionSocketImpl final : public Poco::Net::StreamSocketImpl {
 public:
  ConnectionSocketImpl(int descriptor, Poco::Net::SocketAddress peer,
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
  bool secure() const override {
    return transport_->tls.has_value();
  }

  /// The request that the last poll() found.
  [[nodiscard]] ReceivedRequest take_request();
  /// Sends what has been written so far; false when the client is gone or does not read.
  [[nodiscard]] bool flush();
  /// Sends what must not be buffered, behind what has been written so far. As flush().
  [[nodiscard]] bool send_secret(std::string_view data);
  [[nodiscard]] Transport& transport() noexcept {
    return *transport_;
  }

 private:
  ~ConnectionSocketImpl() override;

  bool establish();
  bool await_request();
  bool send(std::string_view data);

  std::shared_ptr<Transport> transport_;
  Poco::Net::SocketAddress peer_address_;
  std::optional<Poco::Net::SocketAddress> own_address_;
  /// -1 once it is closed. Atomic because the acceptor may be the one to drop the last reference:
  /// what the worker did before it closed happened before that.
  std::atomic<int> descriptor_;
  std::unique_ptr<Channel> channel_;
  RequestReader reader_;
  std::optional<PeerInfo> peer_;  ///< set once the connection is established
  bool first_ = true;             ///< no request yet
  std::optional<ReceivedRequest> received_;
  std::string head_;                       ///< for Poco's parser
  std::string output_;                     ///< of the answer, not yet sent
  std::optional<Deadline> send_deadline_;  ///< from the answer's first byte
  bool send_failed_ = false;
};

}  // namespace estia::http
