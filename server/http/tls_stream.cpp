// SPDX-License-Identifier: Apache-2.0
#include "server/http/tls_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "crypto/openssl/require.h"
#include "server/http/peer_reader.h"

namespace estia::http {
namespace {

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

TlsStream::Wait TlsStream::wait_for(int result, Deadline deadline) noexcept {
  const int reason = ::SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
    const short events = reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    return wait_on(descriptor_, events, deadline) ? Wait::again : Wait::timed_out;
  }
  // After close_notify we may still write; after anything else OpenSSL forbids it.
  broken_ = broken_ || reason != SSL_ERROR_ZERO_RETURN;
  return Wait::broken;
}

bool TlsStream::establish(Deadline deadline) {
  while (std::chrono::steady_clock::now() < deadline) {
    ::ERR_clear_error();
    const int result = ::SSL_do_handshake(ssl_.get());
    if (result == 1) {
      established_ = true;
      acknowledge_at_once(descriptor_);
      return true;
    }
    if (wait_for(result, deadline) != Wait::again) {
      return false;
    }
  }
  return false;
}

PeerInfo TlsStream::peer() const {
  return read_peer(ssl_.get());
}

ReadResult TlsStream::read(std::span<char> out, Deadline deadline) {
  while (!broken_) {
    ::ERR_clear_error();
    std::size_t size = 0;
    const int result = ::SSL_read_ex(ssl_.get(), out.data(), out.size(), &size);
    if (result == 1) {
      return {ReadStatus::data, size};
    }
    const Wait wait = wait_for(result, deadline);
    if (wait == Wait::timed_out) {
      return {ReadStatus::timed_out, 0};
    }
    if (wait == Wait::broken) {
      break;
    }
  }
  return {ReadStatus::closed, 0};
}

bool TlsStream::write(std::string_view data, Deadline deadline) {
  while (!data.empty() && !broken_) {
    ::ERR_clear_error();
    std::size_t size = 0;
    const int result = ::SSL_write_ex(ssl_.get(), data.data(), data.size(), &size);
    if (result == 1) {
      data.remove_prefix(size);
    } else if (wait_for(result, deadline) != Wait::again) {
      broken_ = true;  // a record may have left in part: nothing can follow it
    }
    if (!data.empty() && std::chrono::steady_clock::now() >= deadline) {
      broken_ = true;  // a peer that reads byte by byte never makes us wait long
    }
  }
  return !broken_;
}

void TlsStream::close_gently(Deadline deadline) noexcept {
  ::ERR_clear_error();
  if (established_ && !broken_) {
    static_cast<void>(::SSL_shutdown(ssl_.get()));
  }
  if (established_) {
    finish_and_drain(descriptor_, deadline);
  }
}

}  // namespace estia::http
