// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"
#include "server/http/networks.h"
#include "server/http/observer.h"
#include "server/http/router.h"

namespace estia::http {

/// Totals, not per read.
struct Limits {
  std::chrono::milliseconds handshake{5000};
  std::chrono::milliseconds header{10000};
  std::chrono::milliseconds body{15000};
  std::chrono::milliseconds idle{30000};
  std::chrono::milliseconds send{15000};
  std::chrono::milliseconds linger{2000};
  /// For making an answer, or one step of a handshake; then the client is told, and the worker is
  /// not waited for.
  std::chrono::milliseconds answer{60000};
  /// Likewise; then another worker takes the place of this one, which goes on. No setting.
  std::chrono::milliseconds replace{2000};
  std::size_t header_bytes = 16U << 10U;
  std::size_t header_fields = 64;
  std::chrono::milliseconds queue{5000};  ///< a complete request's wait for a worker
  std::size_t connections = 10'000;
  /// Of one IPv4 address, one IPv6 network of 64 bits, or one user of this machine.
  std::size_t per_address = 100;
  std::size_t buffered_bytes = 64U << 20U;  ///< of requests and answers, all connections together
  unsigned workers = 64;
  /// Threads that may take the places of workers that do not come back; 0: as many as workers.
  unsigned spares = 0;
  /// Of the workers, those that shake hands: a handshake costs a processor, or a TLS key's token,
  /// some time.
  unsigned handshakes_at_once = 2 * std::max(1U, std::thread::hardware_concurrency());

  [[nodiscard]] unsigned most_spares() const noexcept { return spares == 0 ? workers : spares; }

  /// How many of them shake hands at one time: not all, where there are two, so that others have
  /// room.
  [[nodiscard]] unsigned shaking_hands() const noexcept {
    return std::min(handshakes_at_once, std::max(workers, 2U) - 1);
  }
};

/// The server's TLS identity: key and the chain sent to clients, leaf first.
struct TlsIdentity {
  crypto::PrivateKey key;
  std::vector<crypto::Certificate> chain;
};

/// Whether clients may take up a TLS session of an earlier connection (RFC 7030 3.3).
enum class Resumption { off, on };
inline constexpr std::chrono::seconds kSessionLifetime{3600};

struct ServerConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 = any free one
  Limits limits;
  /// Load balancers: each of their connections begins with a header of the PROXY protocol, version
  /// 2, which names the client. Nobody else may send one.
  Networks proxies{};
  Resumption resumption = Resumption::off;
  std::chrono::seconds session_lifetime = kSessionLifetime;
  std::shared_ptr<Observer> observer{};  ///< may be null
};

/// A listener without TLS, for monitoring.
struct PlainServerConfig {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  Limits limits;
};

/// A listener for processes on this machine: a Unix socket, without TLS.
struct LocalServerConfig {
  std::filesystem::path socket;
  Limits limits;
};

class TlsContext;

/// A listener: Poco::Net::HTTPServer, unmodified, over our own sockets, with TLS or without, on TCP
/// or a Unix socket. Start and stop from one thread.
class Server final {
 public:
  /// Throws as prepare().
  Server(ServerConfig config, const TlsIdentity& identity, std::shared_ptr<const Router> router);
  Server(LocalServerConfig config, std::shared_ptr<const Router> router);
  Server(PlainServerConfig config, std::shared_ptr<const Router> router);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and accepts. Throws Error{config, "http.bind"} naming address and port when it cannot,
  /// and those of UnixSocketFile.
  void start();
  [[nodiscard]] std::uint16_t port() const;  ///< not of a Unix socket

  /// Another TLS identity, tried out (tls_self_check.h) and not yet in force. Throws Error{config,
  /// "tls.identity" | "tls.self_check"}. Any thread.
  [[nodiscard]] std::shared_ptr<const TlsContext> prepare(const TlsIdentity& identity) const;
  /// For every connection from here on; those that exist keep theirs. With TLS only. Any thread.
  void adopt(std::shared_ptr<const TlsContext> prepared);
  /// No TLS session that began before can be resumed. With TLS only. Throws Error{config} as
  /// prepare(). Any thread.
  void forget_sessions();
  struct Load {
    std::size_t connections = 0;
    std::size_t buffered_bytes = 0;
    std::size_t waiting = 0;  ///< for a worker
    bool stalled = false;     ///< and none was taken for longer than limits.queue
  };
  [[nodiscard]] Load load() const;
  /// Stops accepting, answers what is in flight with Connection: close, cuts what is left at the
  /// limit. Returns true when nothing had to be cut.
  bool drain(std::chrono::milliseconds limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estia::http
