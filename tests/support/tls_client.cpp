// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/tls1.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <thread>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/certificate_builder.h"

namespace estia::test {
namespace {

using crypto::require;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + crypto::drain_errors());
}

std::string alpn_wire(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

void use_identity(SSL_CTX* context, const http::TlsIdentity& identity) {
  require(::SSL_CTX_use_certificate(context, identity.chain.front().openssl()),
          "SSL_CTX_use_certificate");
  for (std::size_t i = 1; i < identity.chain.size(); ++i) {
    require(static_cast<int>(SSL_CTX_add1_chain_cert(context, identity.chain[i].openssl())),
            "SSL_CTX_add1_chain_cert");
  }
  require(::SSL_CTX_use_PrivateKey(context, identity.key.evp()), "SSL_CTX_use_PrivateKey");
}

crypto::SslPtr make_ssl(const TlsOffer& offer) {
  const crypto::SslCtxPtr context = make_client_context(offer);
  crypto::SslPtr ssl(require(::SSL_new(context.get()), "SSL_new"));
  if (offer.session != nullptr) {
    require(::SSL_set_session(ssl.get(), offer.session), "SSL_set_session");
  }
  return ssl;
}

int say(int descriptor, std::string_view preamble, std::size_t step) {
  while (!preamble.empty()) {
    const std::string_view part = preamble.substr(0, step);
    if (::send(descriptor, part.data(), part.size(), MSG_NOSIGNAL) < 0) {
      ::close(descriptor);
      throw std::runtime_error("the server takes nothing");
    }
    preamble.remove_prefix(part.size());
    if (!preamble.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // or they would arrive together
    }
  }
  return descriptor;
}

HttpAnswer parse_head(std::string head) {
  HttpAnswer answer;
  if (!head.starts_with("HTTP/1.1 ")) {
    throw std::runtime_error("no status line: " + head);
  }
  answer.status = std::stoi(head.substr(9, 3));
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    if (end == at) {
      break;
    }
    answer.fields[head.substr(at, colon - at)] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  answer.head = std::move(head);
  return answer;
}

}  // namespace

http::TlsIdentity make_tls_identity(const std::string& subject, std::chrono::hours validity,
                                    const http::TlsIdentity* issuer) {
  return make_tls_identity(crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256")),
                           subject, validity, issuer);
}

http::TlsIdentity make_tls_identity(const crypto::PrivateKey& key, const std::string& subject,
                                    std::chrono::hours validity, const http::TlsIdentity* issuer) {
  const crypto::PrivateKey& signer = issuer != nullptr ? issuer->key : key;
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(signer.public_key());
  const auto name = crypto::Name::from_text(subject);
  const Instant begin = std::chrono::system_clock::now() - std::chrono::hours(1000);
  const Bytes tbs = crypto::build_tbs(
      {.serial = {1, 2, 4},
       .issuer = issuer != nullptr ? issuer->chain.front().subject() : name,
       .subject = name,
       .not_before = begin,
       .not_after = std::chrono::system_clock::now() + validity,
       .public_key = key.public_key(),
       .extensions = {crypto::subject_key_identifier(key.public_key().key_identifier())}},
      algorithm);
  http::TlsIdentity identity{
      key, {crypto::assemble_certificate(tbs, algorithm, signer.sign(tbs, algorithm)).parsed()}};
  if (issuer != nullptr) {
    identity.chain.insert(identity.chain.end(), issuer->chain.begin(), issuer->chain.end());
  }
  return identity;
}

crypto::SslCtxPtr make_client_context(const TlsOffer& offer) {
  crypto::SslCtxPtr context(
      require(::SSL_CTX_new_ex(crypto::library(), nullptr, ::TLS_client_method()), "SSL_CTX_new"));
  ::SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), offer.version == 0 ? TLS1_2_VERSION : offer.version);
  SSL_CTX_set_max_proto_version(context.get(), offer.version);
  if (!offer.extended_master_secret) {
    ::SSL_CTX_set_options(context.get(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
  }
  // The tests look at what a server does that gets a session offered, or a peer that just leaves.
  ::SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (!offer.ciphers.empty()) {
    require(::SSL_CTX_set_cipher_list(context.get(), offer.ciphers.c_str()), "cipher list");
  }
  if (!offer.groups.empty()) {
    require(static_cast<int>(SSL_CTX_set1_groups_list(context.get(), offer.groups.c_str())),
            "groups");
  }
  if (!offer.alpn.empty()) {
    const std::string wire = alpn_wire(offer.alpn);
    ::SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                              static_cast<unsigned>(wire.size()));
  }
  if (offer.identity != nullptr) {
    use_identity(context.get(), *offer.identity);
  }
  return context;
}

int connect_to(std::uint16_t port, int receive_buffer, const std::string& from) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{20, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (receive_buffer > 0) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (!from.empty() &&
      (::inet_pton(AF_INET, from.c_str(), &address.sin_addr) != 1 ||
       ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)) {
    ::close(descriptor);
    throw std::runtime_error("cannot connect from " + from);
  }
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(descriptor);
    throw std::runtime_error("connect failed");
  }
  return descriptor;
}

TlsClient::TlsClient(std::uint16_t port, const TlsOffer& offer)
    : TlsClient(say(connect_to(port, offer.receive_buffer, offer.from), offer.preamble,
                    offer.preamble_step),
                make_ssl(offer)) {}

TlsClient::TlsClient(std::uint16_t port, SSL_CTX& context, const std::string& from,
                     int receive_buffer)
    : TlsClient(connect_to(port, receive_buffer, from),
                crypto::SslPtr(require(::SSL_new(&context), "SSL_new"))) {}

TlsClient::TlsClient(int descriptor, crypto::SslPtr ssl)
    : descriptor_(descriptor), ssl_(std::move(ssl)) {
  ::ERR_clear_error();
  if (::SSL_set_fd(ssl_.get(), descriptor_) != 1 || ::SSL_connect(ssl_.get()) != 1) {
    ::close(descriptor_);
    fail("handshake");
  }
}

TlsClient::~TlsClient() {
  ::close(descriptor_);
}

void TlsClient::send(std::string_view bytes, std::size_t record) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, record);
    ::ERR_clear_error();
    if (::SSL_write(ssl_.get(), part.data(), static_cast<int>(part.size())) <= 0) {
      fail("send");
    }
    bytes.remove_prefix(part.size());
  }
}

void TlsClient::send_what_is_taken(std::string_view bytes) {
  try {
    send(bytes);
  } catch (const std::runtime_error&) {
    return;
  }
}

void TlsClient::end() {
  ::SSL_shutdown(ssl_.get());
  cut();
}

void TlsClient::cut() {
  ::shutdown(descriptor_, SHUT_WR);
}

bool TlsClient::fill() {
  std::array<char, 16384> chunk;
  ::ERR_clear_error();
  const int size = ::SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()));
  if (size > 0) {
    received_.append(chunk.data(), static_cast<std::size_t>(size));
    return true;
  }
  if (::SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN) {
    return false;
  }
  fail("read");
}

std::string TlsClient::read_record() {
  if (!fill()) {
    fail("the server ended the connection");
  }
  return received_;
}

HttpAnswer TlsClient::read_answer(bool to_head) {
  std::size_t end = received_.find("\r\n\r\n");
  for (; end == std::string::npos; end = received_.find("\r\n\r\n")) {
    if (!fill()) {
      fail("no whole head, but: " + received_);
    }
  }
  HttpAnswer answer = parse_head(received_.substr(0, end + 4));
  received_.erase(0, end + 4);
  const bool empty = to_head || answer.status == 100;
  const std::size_t size = empty ? 0 : std::stoul(answer.fields.at("Content-Length"));
  while (received_.size() < size) {
    if (!fill()) {
      fail("the body is cut");
    }
  }
  answer.body = received_.substr(0, size);
  received_.erase(0, size);
  return answer;
}

bool TlsClient::ended() {
  return received_.empty() && !fill();
}

Bytes TlsClient::channel_binding() const {
  if (::SSL_version(ssl_.get()) == TLS1_2_VERSION) {
    Bytes finished(12);
    ::SSL_get_finished(ssl_.get(), finished.data(), finished.size());
    return finished;
  }
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  const unsigned char nothing = 0;
  Bytes value(32);
  require(::SSL_export_keying_material(ssl_.get(), value.data(), value.size(), kLabel.data(),
                                       kLabel.size(), &nothing, 0, 1),
          "SSL_export_keying_material");
  return value;
}

}  // namespace estia::test
