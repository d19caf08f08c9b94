// SPDX-License-Identifier: Apache-2.0
#include "server/http/reactor.h"

#include <Poco/Net/SocketAddress.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "server/http/connection.h"
#include "server/http/source.h"
#include "server/http/transport.h"
#include "server/ops/log.h"

namespace estia::http {
namespace {

constexpr std::uint64_t kListenerId = 0;
constexpr std::uint64_t kWakeupId = ~std::uint64_t{0};
constexpr int kAcceptedAtOnce = 64;
/// While handshakes wait for a worker: whoever accepts cannot hand them over meanwhile.
constexpr int kAcceptedBesideHandshakes = 4;
/// Beyond so many the kernel keeps new clients in its backlog.
constexpr std::size_t kMostHandshakesWaiting = 1000;
constexpr std::size_t kEventsAtOnce = 256;
constexpr std::chrono::milliseconds kAcceptPause{50};

std::uint32_t epoll_events(short events) noexcept {
  return (events == POLLOUT ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT;
}

bool out_of_descriptors(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

}  // namespace

Reactor::Reactor(Transport& transport)
    : transport_(transport),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      ready_(transport.workers, transport.handshakes, transport.excuses, transport.limits.queue,
             transport.turns) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWakeupId}};
  if (epoll_ < 0 ||
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, transport.wakeup.descriptor(), &event) != 0) {
    throw Error(ErrorCode::config, "http.epoll", "this machine gives no epoll instance",
                std::strerror(errno));
  }
}

Reactor::~Reactor() {
  ready_.clear();
  parked_.clear();
  ::close(epoll_);
}

void Reactor::listen(int descriptor) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kListenerId}};
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw Error(ErrorCode::config, "http.epoll", "this machine gives no epoll instance",
                std::strerror(errno));
  }
  listener_ = descriptor;
  accepting_ = true;
}

void Reactor::stop_listening() noexcept {
  // The kernel would go on completing connections; the descriptor itself is closed by its owner.
  static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_, nullptr));
  static_cast<void>(::shutdown(listener_, SHUT_RD));
}

/// A request whose first bytes nobody has read yet has begun: they would be all that is read of it.
void Reactor::end_waiting() {
  std::vector<std::unique_ptr<Connection>> ended;  // they go after the lock
  const std::lock_guard lock(mutex_);
  std::vector<Id> waiting;
  for (const auto& [id, parked] : parked_) {
    if (parked.connection->waits_for_nothing_begun()) {
      waiting.push_back(id);
    }
  }
  for (const Id id : waiting) {
    ended.push_back(take_locked(id));
  }
}

void Reactor::park(std::unique_ptr<Connection> connection) noexcept {
  const int descriptor = connection->descriptor();
  connection->end_turn();
  try {
    const std::lock_guard lock(mutex_);
    if (transport_.connections.draining() && connection->waits_for_nothing_begun()) {
      return;
    }
    const Id id = ++last_id_;
    epoll_event event{.events = epoll_events(connection->events()), .data = {.u64 = id}};
    const auto timer = timers_.emplace(connection->deadline(), id);
    const bool idle = connection->idle();
    Parked& parked = parked_.emplace(id, Parked{std::move(connection), timer}).first->second;
    if (idle) {
      parked.idle = idle_.insert(idle_.end(), id);
    }
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event) != 0 &&
        (errno != ENOENT || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0)) {
      connection = take_locked(id);
    }
  } catch (const std::exception&) {
    // No memory for it: it is closed.
  }
}

std::unique_ptr<Connection> Reactor::take(Id id) {
  const std::lock_guard lock(mutex_);
  return take_locked(id);
}

std::unique_ptr<Connection> Reactor::take_locked(Id id) {
  const auto found = parked_.find(id);
  if (found == parked_.end()) {
    return nullptr;  // its deadline came first
  }
  std::unique_ptr<Connection> connection = std::move(found->second.connection);
  timers_.erase(found->second.timer);
  if (found->second.idle) {
    idle_.erase(*found->second.idle);
  }
  parked_.erase(found);
  return connection;
}

Deadline Reactor::earliest() {
  const std::lock_guard lock(mutex_);
  return timers_.empty() ? Deadline::max() : timers_.begin()->first;
}

std::unique_ptr<Connection> Reactor::next(std::chrono::milliseconds wait) {
  const Deadline until = after(wait);
  for (;;) {
    take_expired();
    if (auto connection = ready_.pop()) {
      return connection;
    }
    if (!ready_.empty()) {
      transport_.wakeup.ask();
      if (auto connection = ready_.pop()) {  // a place may have been given back meanwhile
        return connection;
      }
    }
    if (std::chrono::steady_clock::now() >= until) {
      return nullptr;
    }
    wait_for_events(std::min({until, earliest(), ready_.next_excuse()}));
  }
}

/// New clients wait in the kernel's backlog while too many handshakes wait here.
void Reactor::accept_or_wait() {
  const bool wanted = ready_.new_handshakes() < kMostHandshakesWaiting;
  if (listener_ >= 0 && wanted != accepting_) {
    epoll_event event{.events = wanted ? EPOLLIN : 0U, .data = {.u64 = kListenerId}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_, &event) == 0) {
      accepting_ = wanted;
    }
  }
}

void Reactor::wait_for_events(Deadline until) {
  accept_or_wait();
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  std::array<epoll_event, kEventsAtOnce> events;
  const int timeout = static_cast<int>(std::max<long long>(left.count(), 0));
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
  for (int i = 0; i < count; ++i) {
    const Id id = events[static_cast<std::size_t>(i)].data.u64;
    if (id == kListenerId) {
      accept_some();
    } else if (id == kWakeupId) {
      transport_.wakeup.clear();
    } else {
      wake(id);
    }
  }
}

void Reactor::wake(Id id) {
  if (auto connection = take(id)) {
    queue(std::move(connection));
  }
}

/// One that lingers needs no worker: what it still sends is dropped as it comes, encrypted or not.
void Reactor::queue(std::unique_ptr<Connection> connection) {
  if (!connection->lingering()) {
    ready_.push(std::move(connection));
  } else if (connection->drop_input()) {
    park(std::move(connection));
  }
}

void Reactor::take_expired() {
  for (std::size_t late = ready_.drop_late(); late > 0 && transport_.observer; --late) {
    transport_.observer->turned_away(TurnedAway::handshakes);
  }
  const Deadline now = std::chrono::steady_clock::now();
  for (;;) {
    Id id = 0;
    {
      const std::lock_guard lock(mutex_);
      if (timers_.empty() || timers_.begin()->first > now) {
        return;
      }
      id = timers_.begin()->second;
      if (!parked_.contains(id)) {
        timers_.erase(timers_.begin());  // of one that could not be parked
        continue;
      }
    }
    if (auto late = take(id)) {
      if (late->shakes_hands()) {
        late->fail_handshake("the client was too slow");
      } else {
        queue(std::move(late));
      }
    }
  }
}

/// As many as there are, but others want their turn.
void Reactor::accept_some() {
  if (accept_again_ && std::chrono::steady_clock::now() < *accept_again_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return;
  }
  accept_again_.reset();
  const int most = ready_.handshakes_wait() ? kAcceptedBesideHandshakes : kAcceptedAtOnce;
  for (int i = 0; i < most && accept_one(); ++i) {
  }
}

bool Reactor::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int descriptor = ::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                                   SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) {
    if (out_of_descriptors(errno)) {
      accept_again_ = after(kAcceptPause);
    }
    return errno == EINTR || errno == ECONNABORTED;
  }
  try {
    // A client of a Unix socket has no name of its own.
    const Poco::Net::SocketAddress client =
        address.ss_family == AF_UNIX
            ? transport_.own_address
            : Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&address), size);
    const bool proxy = transport_.is_proxy(client);
    // Those of a load balancer count for the clients that it names.
    const auto source = proxy ? std::nullopt : std::optional(source_of(client, descriptor));
    if (admit(descriptor, source)) {
      park(std::make_unique<Connection>(descriptor, client, proxy, transport_));
    } else {
      ::close(descriptor);
    }
  } catch (const std::exception& error) {
    transport_.connections.leave(descriptor);
    ::close(descriptor);
    ops::log(ops::Level::error, "http.accept_failed", {{"reason", error.what()}});
  }
  return true;
}

bool Reactor::admit(int descriptor, const std::optional<std::string>& source) {
  using Admission = Connections::Admission;
  Admission admission = transport_.connections.enter(descriptor, source);
  if (admission == Admission::full && end_an_idle_one()) {
    admission = transport_.connections.enter(descriptor, source);
  }
  if (admission != Admission::admitted && transport_.observer) {
    transport_.observer->turned_away(admission == Admission::full          ? TurnedAway::connections
                                     : admission == Admission::source_full ? TurnedAway::per_address
                                                                           : TurnedAway::draining);
  }
  return admission == Admission::admitted;
}

/// The one that has been idle the longest.
bool Reactor::end_an_idle_one() {
  std::unique_ptr<Connection> idle;  // it goes after the lock
  const std::lock_guard lock(mutex_);
  if (!idle_.empty()) {
    idle = take_locked(idle_.front());
  }
  return idle != nullptr;
}

}  // namespace estia::http
