// SPDX-License-Identifier: Apache-2.0
#include "server/http/tls_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "crypto/openssl/require.h"
#include "server/http/peer_reader.h"
#include "server/http/tls_context.h"

namespace estia::http {
namespace {

/// Of a client's certificates in a session that may be resumed: parsed they take some eight times
/// as much, for as long as the session is kept.
constexpr int kLongestKeptChain = 8 << 10;

int size_of_chain(SSL* ssl) {
  const STACK_OF(X509)* chain = ::SSL_get_peer_cert_chain(ssl);
  const X509* leaf = ::SSL_get0_peer_certificate(ssl);  // on the server the chain lacks it
  int size = leaf == nullptr ? 0 : ::i2d_X509(leaf, nullptr);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    size += ::i2d_X509(sk_X509_value(chain, i), nullptr);
  }
  return size;
}

/// With no ticket to send after the handshake the kernel delays its ACK by 40 ms, and a client with
/// Nagle's algorithm on waits for it with its request.
void acknowledge_at_once(int descriptor) noexcept {
  const int on = 1;
  static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
}

}  // namespace

TlsStream::TlsStream(int descriptor, crypto::SslPtr ssl)
    : descriptor_(descriptor), ssl_(std::move(ssl)) {
  crypto::require(::SSL_set_fd(ssl_.get(), descriptor), "SSL_set_fd");
}

IoStatus TlsStream::status_of(int result) noexcept {
  const int reason = ::SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    events_ = reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return IoStatus::wait;
  }
  // After close_notify we may still write; after anything else OpenSSL forbids it.
  broken_ = broken_ || reason != SSL_ERROR_ZERO_RETURN;
  return IoStatus::closed;
}

IoStatus TlsStream::establish() {
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(ssl_.get());
  if (result != 1) {
    return status_of(result);
  }
  established_ = true;
  if (size_of_chain(ssl_.get()) > kLongestKeptChain) {
    ::SSL_CTX_remove_session(::SSL_get_SSL_CTX(ssl_.get()), ::SSL_get_session(ssl_.get()));
  } else {
    TlsContext::keep_age(ssl_.get());
  }
  acknowledge_at_once(descriptor_);
  return IoStatus::done;
}

bool TlsStream::heard() const noexcept {
  return ::BIO_number_read(::SSL_get_rbio(ssl_.get())) > 0;
}

PeerInfo TlsStream::peer() const {
  return read_peer(ssl_.get());
}

IoResult TlsStream::read(std::span<char> out) {
  if (broken_) {
    return {};
  }
  ::ERR_clear_error();
  std::size_t size = 0;
  const int result = ::SSL_read_ex(ssl_.get(), out.data(), out.size(), &size);
  return result == 1 ? IoResult{IoStatus::done, size} : IoResult{status_of(result), 0};
}

IoResult TlsStream::write(std::string_view data) {
  if (broken_) {
    return {};
  }
  ::ERR_clear_error();
  std::size_t size = 0;
  const int result = ::SSL_write_ex(ssl_.get(), data.data(), data.size(), &size);
  return result == 1 ? IoResult{IoStatus::done, size} : IoResult{status_of(result), 0};
}

bool TlsStream::finish() noexcept {
  ::ERR_clear_error();
  if (established_ && !broken_) {
    static_cast<void>(::SSL_shutdown(ssl_.get()));
    ::ERR_clear_error();
  }
  return established_ && ::shutdown(descriptor_, SHUT_WR) == 0;
}

}  // namespace estia::http
