// SPDX-License-Identifier: Apache-2.0
#include "server/http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "crypto/openssl/require.h"
#include "server/http/plain_stream.h"
#include "server/http/source.h"
#include "server/http/tls_stream.h"
#include "server/http/transport.h"
#include "server/ops/log.h"

namespace estia::http {
namespace {

/// One TLS record: the header block, at most this long, leaves in the first one (docs/clients.md).
constexpr std::size_t kOutputSize = 16384;
constexpr std::size_t kMostRequests = 1000;
/// Requests sent at once are answered so many at a time.
constexpr std::size_t kMostPerTurn = 8;

std::unique_ptr<Channel> make_channel(int descriptor, const TlsSlot* tls) {
  if (tls != nullptr) {
    return std::make_unique<TlsStream>(descriptor, tls->new_connection());
  }
  return std::make_unique<PlainStream>(descriptor);
}

/// Nobody who waits for an answer closes their side: TLS ends both with close_notify (RFC 8446 6.1
/// lets them be closed one by one, and no client of HTTP does).
bool is_gone(int descriptor) {
  pollfd wanted{descriptor, POLLRDHUP, 0};
  return ::poll(&wanted, 1, 0) == 1 &&
         (wanted.revents & (POLLHUP | POLLERR | POLLNVAL | POLLRDHUP)) != 0;
}

bool unread(int descriptor) {
  char byte = 0;
  return ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool passed(Deadline deadline) {
  return std::chrono::steady_clock::now() >= deadline;
}

}  // namespace

Connection::Connection(int descriptor, const Poco::Net::SocketAddress& peer, bool proxy,
                       Transport& transport)
    : transport_(transport),
      descriptor_(descriptor),
      peer_address_(peer),
      channel_(make_channel(descriptor, transport.tls.get())),
      reader_(*channel_, *transport.router, transport.limits),
      share_(transport.budget),
      deadline_(after(transport.limits.handshake)) {
  if (proxy) {
    proxy_.emplace();
  }
  if (peer_address_.family() != Poco::Net::SocketAddress::UNIX_LOCAL) {
    const int on = 1;
    static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  }
}

Connection::~Connection() {
  try {
    report(false);
  } catch (const std::exception&) {
    // No memory for a line in the log.
  }
  transport_.connections.leave(descriptor_);
  ::close(descriptor_);
}

Connection::Next Connection::advance() {
  if (broken_) {
    return Next::end;
  }
  if (state_ == State::lingering) {
    return drop_input() ? Next::wait : Next::end;
  }
  if (!output_.empty() || closing_) {
    return send_rest();
  }
  if (state_ == State::handshake) {
    if (!introduced() || !established()) {
      return broken_ ? Next::end : Next::wait;
    }
    handshake_.reset();
    state_ = State::open;
    deadline_ = after(transport_.limits.header);  // the first request may be under way
  }
  return read_request();
}

/// By the load balancer, if it is one of ours: whoever connects directly cannot claim an address.
bool Connection::introduced() {
  if (!proxy_) {
    return true;
  }
  try {
    const IoStatus status = passed(deadline_) ? IoStatus::closed : proxy_->advance(descriptor_);
    broken_ = status == IoStatus::closed;  // most of these only look whether the port is open
    if (status == IoStatus::done) {
      take_client();
    }
    return status == IoStatus::done && !broken_;
  } catch (const Error& error) {
    turn_away(TurnedAway::proxy);
    ops::log(ops::Level::warning, "proxy.refused",
             {{"peer", address_text(peer_address_)}, {"reason", error.what()}});
    return false;
  }
}

void Connection::take_client() {
  if (const auto client = proxy_->client()) {
    if (!transport_.connections.count_for(descriptor_, source_of(*client, descriptor_))) {
      turn_away(TurnedAway::per_address);
      return;
    }
    peer_address_ = *client;
  }
  proxy_.reset();
}

bool Connection::gone() const noexcept {
  return is_gone(descriptor_);
}

bool Connection::waits_for_nothing_begun() const noexcept {
  return !busy_ && !again_ && output_.empty() && !unread(descriptor_);
}

void Connection::turn_away(TurnedAway why) noexcept {
  broken_ = true;
  if (transport_.observer) {
    transport_.observer->turned_away(why);
  }
}

void Connection::fail_handshake(const std::string& reason) const {
  if (transport_.observer && transport_.tls) {
    transport_.observer->handshake(false);
  }
  ops::log(ops::Level::info, "tls.handshake_failed",
           {{"peer", address_text(peer_address_)}, {"reason", reason}});
}

/// A TLS key may be in a token that hangs. Nobody but the worker may touch TLS meanwhile. While it
/// may come back no other handshake has its place: that would hang, too.
IoStatus Connection::shake_hands() {
  const auto give_up = [this](bool replaced) {
    broken_ = true;
    static_cast<void>(::shutdown(descriptor_, SHUT_RDWR));
    if (replaced) {
      handshake_.reset();
    }
  };
  AnswerWatch::Watched watched(
      transport_.answers,
      {.replace = [this](Places::Place spare) { replace_worker(std::move(spare)); },
       .give_up = give_up});
  const IoStatus status = channel_->establish();
  return watched.in_time() ? status : IoStatus::closed;
}

bool Connection::established() {
  const bool late = passed(deadline_);
  const IoStatus status = late ? IoStatus::closed : shake_hands();
  crypto::clear_pending_error();  // of a TLS key in a token: nobody takes it from here
  if (broken_) {
    fail_handshake("the TLS key's token did not answer in time");
    return false;
  }
  if (status == IoStatus::done) {
    if (transport_.observer && transport_.tls) {
      transport_.observer->handshake(true);
    }
    peer_ = channel_->peer();
    peer_->address = address_text(peer_address_);
    for (const crypto::Certificate& certificate : peer_->chain) {
      peer_bytes_ += certificate.der().size();
    }
    // Chains that strangers choose count, too.
    broken_ = !share_.hold(peer_bytes_);
    return !broken_;
  }
  if (status == IoStatus::closed) {
    broken_ = true;
    const std::string reason = crypto::drain_errors();
    if (late || channel_->heard() || !reason.empty()) {  // else somebody looked: is the port open?
      fail_handshake(late             ? "the client was too slow"
                     : reason.empty() ? "the client left"
                                      : reason);
    }
  }
  return false;
}

Connection::Next Connection::read_request() {
  using Progress = RequestReader::Progress;
  // What came in time and waited for a worker is answered.
  if (!busy_ && passed(deadline_) && !(ready_ && *ready_ < deadline_)) {
    return Next::end;
  }
  if (answered_ >= kMostPerTurn || replaced_ || (excuse_ && !ready_)) {
    again_ = true;  // others wait, too
    return Next::wait;
  }
  const Progress progress = reader_.advance(*peer_);
  if (progress == Progress::gone) {
    return Next::end;
  }
  if (progress == Progress::idle) {
    static_cast<void>(share_.hold(peer_bytes_));
    return transport_.connections.draining() ? Next::end : Next::wait;
  }
  if (!std::exchange(busy_, true)) {
    transport_.connections.begin_request(descriptor_);
  }
  deadline_ = reader_.deadline();
  if (!share_.hold(peer_bytes_ + reader_.buffered())) {
    reader_.refuse(
        Error(ErrorCode::busy, "http.buffers_full", "too much is being received, try again later"),
        true);
    static_cast<void>(share_.hold(peer_bytes_));
    return Next::request;
  }
  if (progress == Progress::complete && waited_too_long()) {
    reader_.refuse(Error(ErrorCode::busy, "http.overloaded", "too much to do, try again later"),
                   false);
  }
  return progress == Progress::complete ? Next::request : Next::wait;
}

/// Of a request that came whole and then waited for a worker: its client may have given up, and
/// whoever comes later waits longer.
bool Connection::waited_too_long() const {
  return ready_ && passed(*ready_ + transport_.limits.queue);
}

ReceivedRequest Connection::take_request() {
  first_ = false;
  ready_.reset();
  ReceivedRequest received = reader_.take();
  received.close = received.close || ++requests_ >= kMostRequests;
  received.request.client_gone = [descriptor = descriptor_] { return is_gone(descriptor); };
  return received;
}

std::string Connection::head_for_poco() const {
  const ReceivedRequest& received = reader_.received();
  const bool close = received.close || requests_ + 1 >= kMostRequests;
  return std::string(received.request.method == "HEAD" ? "HEAD" : "GET") +
         " / HTTP/1.1\r\nConnection: " + (close ? "close" : "keep-alive") +
         "\r\nContent-Length: 0\r\n\r\n";
}

void Connection::send(std::string_view data) {
  output_.add(data);
  if (output_.buffered() >= kOutputSize) {
    static_cast<void>(flush());
  }
}

void Connection::send(std::shared_ptr<const SecureBytes> secret) {
  output_.add(std::move(secret));
}

void Connection::give_up(std::string_view last_words) noexcept {
  try {
    output_.add(last_words);
    static_cast<void>(flush());
    static_cast<void>(broken_ || channel_->finish());
    crypto::clear_pending_error();
    ::ERR_clear_error();
  } catch (const std::exception&) {
    // No memory: the client hears the end alone.
  }
  broken_ = true;
  output_.clear();
  static_cast<void>(::shutdown(descriptor_, SHUT_WR));
}

/// False when nothing can be sent any more.
bool Connection::flush() {
  if (!send_by_) {
    send_by_ = after(transport_.limits.send);
  }
  if (broken_ || output_.send_to(*channel_) == IoStatus::closed ||
      (!output_.empty() && passed(*send_by_))) {
    broken_ = true;  // a record may have left in part: nothing can follow it
    output_.clear();
  }
  return !broken_;
}

void Connection::finish_answer(std::function<void(bool)> sent) {
  on_sent_ = std::move(sent);
  if (!flush()) {
    report(false);
  } else if (output_.empty()) {
    report(true);
  } else if (!share_.hold(peer_bytes_ + output_.buffered())) {
    broken_ = true;
    output_.clear();
    report(false);
  }
}

void Connection::report(bool sent) {
  send_by_.reset();
  if (std::exchange(busy_, false)) {
    ++answered_;
    transport_.connections.end_request(descriptor_);
  }
  deadline_ = after(transport_.limits.idle);
  if (const auto hears = std::exchange(on_sent_, nullptr)) {
    hears(sent);
  }
}

/// A client that reads byte by byte is given no more time than one that reads nothing.
Connection::Next Connection::send_rest() {
  if (!flush()) {
    report(false);
    return Next::end;
  }
  if (!output_.empty()) {
    deadline_ = *send_by_;
    static_cast<void>(share_.hold(peer_bytes_ + output_.buffered()));
    return Next::wait;
  }
  report(true);
  if (closing_) {
    return goodbye() ? Next::wait : Next::end;
  }
  return read_request();
}

bool Connection::close() {
  closing_ = true;
  if (broken_ || state_ == State::lingering) {
    return state_ == State::lingering && !broken_;
  }
  return send_rest() == Next::wait;
}

bool Connection::goodbye() {
  if (!channel_->finish()) {
    return false;
  }
  state_ = State::lingering;
  reader_.drop();
  static_cast<void>(share_.hold(peer_bytes_));
  deadline_ = after(transport_.limits.linger);
  return drop_input();
}

bool Connection::drop_input() noexcept {
  return !passed(deadline_) && http::drop_input(descriptor_, dropped_);
}

}  // namespace estia::http
