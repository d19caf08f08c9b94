// SPDX-License-Identifier: Apache-2.0
#include "server/http/connection_socket.h"

#include <Poco/Net/NetException.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "crypto/openssl/require.h"
#include "server/http/plain_stream.h"
#include "server/http/tls_stream.h"
#include "server/ops/log.h"

namespace estia::http {
namespace {

/// One TLS record: the header block, at most this long, leaves in the first one (docs/clients.md).
constexpr std::size_t kOutputSize = 16384;
constexpr std::chrono::milliseconds kOtherWaiters{100};

/// Clients of a dual-stack listener are named as they name themselves.
std::string address_text(const Poco::Net::SocketAddress& address) {
  if (address.family() == Poco::Net::SocketAddress::UNIX_LOCAL) {
    return "unix";
  }
  const std::string text = address.host().toString();
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped = text.starts_with(kMapped) && text.find('.') != std::string::npos;
  return mapped ? text.substr(kMapped.size()) : text;
}

std::unique_ptr<Channel> make_channel(int descriptor, const std::optional<TlsContext>& tls) {
  if (tls) {
    return std::make_unique<TlsStream>(descriptor, tls->new_connection());
  }
  return std::make_unique<PlainStream>(descriptor);
}

/// What Poco needs to know to answer: whether it is HEAD, and whether the connection stays.
std::string head_for_poco(const ReceivedRequest& received) {
  const bool head = received.request.method == "HEAD";
  return std::string(head ? "HEAD" : "GET") +
         " / HTTP/1.1\r\nConnection: " + (received.close ? "close" : "keep-alive") +
         "\r\nContent-Length: 0\r\n\r\n";
}

/// Nobody who waits for an answer closes their side: TLS ends both with close_notify (RFC 8446 6.1
/// lets them be closed one by one, and no client of HTTP does).
bool is_gone(int descriptor) {
  pollfd wanted{descriptor, POLLRDHUP, 0};
  return descriptor < 0 || (::poll(&wanted, 1, 0) == 1 &&
                            (wanted.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0);
}

}  // namespace

ConnectionSocketImpl::ConnectionSocketImpl(int descriptor, Poco::Net::SocketAddress peer,
                                           std::shared_ptr<Transport> transport)
    : transport_(std::move(transport)),
      peer_address_(std::move(peer)),
      descriptor_(descriptor),
      channel_(make_channel(descriptor, transport_->tls)),
      reader_(*channel_, *transport_->router, transport_->limits) {
  if (peer_address_.family() != Poco::Net::SocketAddress::UNIX_LOCAL) {
    const int on = 1;
    static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  }
  // Last: from here on the base class closes the descriptor.
  reset(descriptor);
}

ConnectionSocketImpl::~ConnectionSocketImpl() {
  const int descriptor = descriptor_.load(std::memory_order_acquire);
  if (descriptor >= 0) {
    // A connection that no worker ever saw; the base class closes it.
    transport_->connections.leave(descriptor);
  }
}

bool ConnectionSocketImpl::establish() {
  if (peer_) {
    return true;
  }
  const bool established = channel_->establish(after(transport_->limits.handshake));
  crypto::clear_pending_error();  // of a TLS key in a token: nobody takes it from here
  if (!established) {
    const std::string reason = crypto::drain_errors();
    ops::log(ops::Level::info, "tls.handshake_failed",
             {{"peer", address_text(peer_address_)},
              {"reason", reason.empty() ? "the client left or was too slow" : reason}});
    return false;
  }
  peer_ = channel_->peer();
  peer_->address = address_text(peer_address_);
  return true;
}

/// An idle connection holds a worker; it goes early when others wait for one. A new one does not:
/// its request may be under way.
bool ConnectionSocketImpl::await_request() {
  const Limits& limits = transport_->limits;
  const bool first = std::exchange(first_, false);
  const Deadline deadline = after(first ? limits.header : limits.idle);
  for (;;) {
    const Deadline slice = std::min(deadline, after(kOtherWaiters));
    const ReadStatus status = reader_.await(slice);
    if (status != ReadStatus::timed_out) {
      return status == ReadStatus::data;
    }
    if (slice == deadline || (!first && transport_->connections.crowded())) {
      return false;
    }
  }
}

bool ConnectionSocketImpl::poll(const Poco::Timespan& /*timeout*/, int mode) {
  if ((mode & SELECT_READ) == 0) {
    return true;
  }
  if (!flush()) {
    return false;
  }
  transport_->connections.end_request(descriptor_);
  if (transport_->connections.draining() || !establish() || !await_request()) {
    return false;
  }
  transport_->connections.begin_request(descriptor_);
  received_ = reader_.read(*peer_);
  if (!received_) {
    return false;
  }
  head_ = head_for_poco(*received_);
  return true;
}

int ConnectionSocketImpl::receiveBytes(void* buffer, int length, int /*flags*/) {
  const std::size_t size = std::min(head_.size(), static_cast<std::size_t>(std::max(length, 0)));
  std::memcpy(buffer, head_.data(), size);
  head_.erase(0, size);
  return static_cast<int>(size);
}

int ConnectionSocketImpl::sendBytes(const void* buffer, int length, int /*flags*/) {
  output_.append(static_cast<const char*>(buffer), static_cast<std::size_t>(length));
  if (output_.size() >= kOutputSize && !flush()) {
    throw Poco::Net::ConnectionAbortedException("the client does not read");
  }
  return length;
}

bool ConnectionSocketImpl::flush() {
  if (output_.empty() || send_failed_) {
    return !send_failed_;
  }
  const bool sent = send(output_);
  output_.clear();
  return sent;
}

bool ConnectionSocketImpl::send_secret(std::string_view data) {
  return flush() && send(data);
}

bool ConnectionSocketImpl::send(std::string_view data) {
  if (!send_deadline_) {
    send_deadline_ = after(transport_->limits.send);
  }
  send_failed_ = !channel_->write(data, *send_deadline_);
  return !send_failed_;
}

ReceivedRequest ConnectionSocketImpl::take_request() {
  ReceivedRequest received = std::move(received_).value();
  received_.reset();
  send_deadline_.reset();
  received.request.client_gone = [descriptor = descriptor_.load()] { return is_gone(descriptor); };
  return received;
}

void ConnectionSocketImpl::close() {
  const int descriptor = descriptor_;
  if (descriptor < 0) {
    return;
  }
  if (flush()) {
    transport_->connections.end_request(descriptor);
  }
  channel_->close_gently(after(transport_->limits.linger));
  transport_->connections.leave(descriptor);
  StreamSocketImpl::close();
  descriptor_.store(-1, std::memory_order_release);
}

#if POCO_VERSION >= 0x010E0000
int ConnectionSocketImpl::shutdown() {
  return ::shutdown(sockfd(), SHUT_RDWR);
}
#else
void ConnectionSocketImpl::shutdown() {
  // Poco may call this from another thread, where OpenSSL must not be touched.
  ::shutdown(sockfd(), SHUT_RDWR);
}
#endif

Poco::Net::SocketAddress ConnectionSocketImpl::address() {
  if (!transport_->tls) {
    return transport_->own_address;
  }
  if (!own_address_) {
    own_address_ = StreamSocketImpl::address();  // asked for with every request
  }
  return *own_address_;
}

Poco::Net::SocketAddress ConnectionSocketImpl::peerAddress() {
  return peer_address_;  // the kernel forgets it when the peer leaves
}

void ConnectionSocketImpl::setReceiveTimeout(const Poco::Timespan& /*timeout*/) {}
void ConnectionSocketImpl::setSendTimeout(const Poco::Timespan& /*timeout*/) {}

}  // namespace estia::http
