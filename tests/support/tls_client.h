// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/openssl/owned.h"
#include "server/http/server.h"

namespace estia::test {

/// A software key and a certificate over it; self-signed unless an issuer is given.
[[nodiscard]] http::TlsIdentity make_tls_identity(
    const std::string& subject, std::chrono::hours validity = std::chrono::hours(24),
    const http::TlsIdentity* issuer = nullptr);

/// Likewise, over that key.
[[nodiscard]] http::TlsIdentity make_tls_identity(const crypto::PrivateKey& key,
                                                  const std::string& subject,
                                                  std::chrono::hours validity,
                                                  const http::TlsIdentity* issuer);

/// What a raw client offers. Nothing is filtered by OpenSSL's security level: refusing is the
/// server's business.
struct TlsOffer {
  int version = 0;           ///< TLS1_2_VERSION, ...; 0: 1.2 and 1.3
  std::string ciphers = {};  ///< of TLS 1.2 and older
  std::string groups = {};
  std::vector<std::string> alpn = {};
  const http::TlsIdentity* identity = nullptr;
  SSL_SESSION* session = nullptr;  ///< to resume
  bool extended_master_secret = true;
  int receive_buffer = 0;     ///< bytes in the kernel; 0: the system's
  std::string preamble = {};  ///< sent before TLS begins, in parts of so many bytes
  std::size_t preamble_step = 4096;
  std::string from = {};  ///< an address of the loopback network; empty: 127.0.0.1
};

/// What a client offers, for many connections.
[[nodiscard]] crypto::SslCtxPtr make_client_context(const TlsOffer& offer);

struct HttpAnswer {
  int status = 0;
  std::string head;                           ///< as received, with the status line
  std::map<std::string, std::string> fields;  ///< names as received
  std::string body;
};

/// A client that sends exactly the bytes it is told to, over loopback. Calls throw
/// std::runtime_error when they fail or take longer than 20 s.
class TlsClient final {
 public:
  explicit TlsClient(std::uint16_t port, const TlsOffer& offer = {});
  /// With a context made before: a load of many connections must not pay for it each time.
  TlsClient(std::uint16_t port, SSL_CTX& context, const std::string& from = {},
            int receive_buffer = 0);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// In records of at most `record` bytes.
  void send(std::string_view bytes, std::size_t record = 16384);
  /// As send(), until the server takes no more.
  void send_what_is_taken(std::string_view bytes);
  /// close_notify and FIN; reading goes on.
  void end();
  /// FIN alone.
  void cut();

  /// The next whole answer. `to_head`: it has no body whatever Content-Length says.
  [[nodiscard]] HttpAnswer read_answer(bool to_head = false);
  /// Whether the server has ended the connection and nothing is left to read.
  [[nodiscard]] bool ended();
  /// The first TLS record's plain text.
  [[nodiscard]] std::string read_record();

  /// tls-unique or tls-exporter as this side computes it.
  [[nodiscard]] Bytes channel_binding() const;
  [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }

 private:
  TlsClient(int descriptor, crypto::SslPtr ssl);
  bool fill();

  int descriptor_ = -1;
  crypto::SslPtr ssl_;
  std::string received_;
};

/// A TCP connection to loopback with a receive timeout, from another address of it if one is given;
/// the caller closes it.
[[nodiscard]] int connect_to(std::uint16_t port, int receive_buffer = 0,
                             const std::string& from = {});

}  // namespace estia::test
