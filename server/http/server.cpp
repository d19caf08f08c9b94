// SPDX-License-Identifier: Apache-2.0
#include "server/http/server.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <fcntl.h>

#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "crypto/base/error.h"
#include "server/http/request_adapter.h"
#include "server/http/server_socket.h"
#include "server/http/tls_self_check.h"
#include "server/http/unix_socket_file.h"

namespace estia::http {
namespace {

constexpr int kBacklog = 1024;
/// Ours is counted over all of a connection's turns (connection.cpp).
constexpr int kMostRequestsPerTurn = 1000;
constexpr int kThreadIdleMillis = 250;  // a stop may last as long
constexpr std::chrono::milliseconds kLastWait{1000};

/// Poco copies sockets by value: only the implementation behind them can be ours.
class ListeningSocket final : public Poco::Net::ServerSocket {
 public:
  explicit ListeningSocket(Poco::Net::SocketImpl* impl) : ServerSocket(impl, true) {}
};

/// Workers, those whose places they have, and who excuses.
int most_threads(const Limits& limits) {
  return static_cast<int>(limits.workers + limits.most_spares() + 1);
}

Poco::Net::HTTPServerParams::Ptr make_params(const Limits& limits) {
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setMaxThreads(most_threads(limits));
  params->setMaxQueued(static_cast<int>(limits.connections));
  params->setThreadIdleTime(Poco::Timespan(0, kThreadIdleMillis * 1000L));
  params->setKeepAlive(true);
  params->setMaxKeepAliveRequests(kMostRequestsPerTurn);
  return params;
}

Poco::Net::ServerSocket listen_on(const std::string& host, std::uint16_t port,
                                  const std::shared_ptr<Transport>& transport) {
  try {
    const Poco::Net::SocketAddress address(host, port);
    auto* impl = new ServerSocketImpl(transport);
    ListeningSocket socket(impl);
    // Without SO_REUSEPORT: a second daemon on the port must fail, not take half of the clients.
    if (address.family() == Poco::Net::SocketAddress::IPv6) {
      impl->bind6(address, true, false, false);
    } else {
      impl->bind(address, true, false);
    }
    impl->listen(kBacklog);
    impl->setBlocking(false);
    ::fcntl(impl->sockfd(), F_SETFD, FD_CLOEXEC);
    transport->reactor.listen(impl->sockfd());
    return socket;
  } catch (const Poco::Exception& error) {
    throw Error(ErrorCode::config, "http.bind",
                "cannot listen on " + host + " port " + std::to_string(port), error.displayText());
  }
}

Poco::Net::ServerSocket listen_on(UnixSocketFile& file,
                                  const std::shared_ptr<Transport>& transport) {
  auto* impl = new ServerSocketImpl(transport);
  ListeningSocket socket(impl);
  impl->adopt(file.take_descriptor());
  impl->listen(kBacklog);
  impl->setBlocking(false);
  transport->reactor.listen(impl->sockfd());
  return socket;
}

std::shared_ptr<const TlsContext> make_context(const TlsIdentity& identity,
                                               const ServerConfig& config) {
  auto context =
      std::make_shared<const TlsContext>(identity, config.resumption, config.session_lifetime);
  check_handshakes(*context, identity.chain.front());
  return context;
}

/// What threads that cannot be waited for still use; kept, and found by a leak checker, until the
/// process ends.
struct Abandoned {
  std::unique_ptr<Poco::ThreadPool> pool;
  std::unique_ptr<Poco::Net::HTTPServer> server;
};

void abandon(Abandoned parts) {
  static std::mutex mutex;  // guards kept
  static auto* kept = new std::vector<Abandoned>;
  const std::lock_guard lock(mutex);
  kept->push_back(std::move(parts));
}

}  // namespace

struct Server::Impl {
  std::variant<ServerConfig, LocalServerConfig, PlainServerConfig> config;
  std::shared_ptr<Transport> transport;
  std::unique_ptr<UnixSocketFile> socket_file;
  std::unique_ptr<Poco::ThreadPool> pool;
  std::unique_ptr<Poco::Net::HTTPServer> server;
  bool draining = false;

  [[nodiscard]] Poco::Net::ServerSocket listen();
  void release_workers();
};

Poco::Net::ServerSocket Server::Impl::listen() {
  if (const auto* tcp = std::get_if<ServerConfig>(&config)) {
    return listen_on(tcp->host, tcp->port, transport);
  }
  if (const auto* plain = std::get_if<PlainServerConfig>(&config)) {
    return listen_on(plain->host, plain->port, transport);
  }
  socket_file = std::make_unique<UnixSocketFile>(std::get<LocalServerConfig>(config).socket);
  return listen_on(*socket_file, transport);
}

/// Poco's destructors wait for a running handler without limit.
void Server::Impl::release_workers() {
  const bool empty = transport->connections.wait_until_empty(after(kLastWait));
  server->stop();  // the reactor, which has seen the connections to their end
  if (!empty) {
    abandon({std::move(pool), std::move(server)});
    return;
  }
  pool->joinAll();  // a thread that was started and has not run yet holds a reference that it drops
  server.reset();
  pool.reset();
}

std::shared_ptr<const TlsContext> Server::prepare(const TlsIdentity& identity) const {
  return make_context(identity, std::get<ServerConfig>(impl_->config));
}

void Server::forget_sessions() {
  if (std::get<ServerConfig>(impl_->config).resumption == Resumption::on) {
    impl_->transport->tls->forget_sessions();
  }
}

void Server::adopt(std::shared_ptr<const TlsContext> prepared) {
  impl_->transport->tls->replace(std::move(prepared));
}

Server::Server(ServerConfig config, const TlsIdentity& identity,
               std::shared_ptr<const Router> router)
    : impl_(std::make_unique<Impl>()) {
  impl_->transport = std::make_shared<Transport>(config.limits, make_context(identity, config),
                                                 Poco::Net::SocketAddress(), std::move(router));
  impl_->transport->observer = config.observer;
  impl_->transport->proxies = config.proxies;
  impl_->config = std::move(config);
}

Server::Server(LocalServerConfig config, std::shared_ptr<const Router> router)
    : impl_(std::make_unique<Impl>()) {
  impl_->transport = std::make_shared<Transport>(
      config.limits, nullptr,
      Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL,
                               config.socket.string().substr(0, kLongestSocketPath)),
      std::move(router));
  impl_->config = std::move(config);
}

Server::Server(PlainServerConfig config, std::shared_ptr<const Router> router)
    : impl_(std::make_unique<Impl>()) {
  impl_->transport = std::make_shared<Transport>(config.limits, nullptr, Poco::Net::SocketAddress(),
                                                 std::move(router));
  impl_->config = std::move(config);
}

Server::Load Server::load() const {
  return {.connections = impl_->transport->connections.count(),
          .buffered_bytes = impl_->transport->budget.used(),
          .waiting = impl_->transport->turns.waiting(),
          .stalled = impl_->transport->stalled()};
}

Server::~Server() {
  if (!impl_->server) {
    return;
  }
  try {
    static_cast<void>(drain(std::chrono::milliseconds(0)));
    impl_->release_workers();
  } catch (const std::exception&) {
    abandon({std::move(impl_->pool), std::move(impl_->server)});
  }
}

void Server::start() {
  const Limits& limits = impl_->transport->limits;
  const Poco::Net::ServerSocket socket = impl_->listen();
  // A worker counts as gone in Poco's books a moment before its thread is free again.
  const int threads = 2 * most_threads(limits) + 2;
  impl_->pool = std::make_unique<Poco::ThreadPool>(2, threads, 60);
  impl_->server = std::make_unique<Poco::Net::HTTPServer>(new RequestAdapterFactory, *impl_->pool,
                                                          socket, make_params(limits));
  impl_->server->start();
}

std::uint16_t Server::port() const {
  return impl_->server->port();
}

bool Server::drain(std::chrono::milliseconds limit) {
  if (!impl_->server || impl_->draining) {
    return true;
  }
  impl_->draining = true;
  const Deadline deadline = after(limit);
  impl_->transport->reactor.stop_listening();
  impl_->socket_file.reset();
  impl_->transport->connections.begin_drain();
  impl_->transport->reactor.end_waiting();
  return impl_->transport->connections.drain(deadline);
}

}  // namespace estia::http
