// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>

#include <algorithm>
#include <memory>

#include "server/http/answer_watch.h"
#include "server/http/byte_budget.h"
#include "server/http/connections.h"
#include "server/http/networks.h"
#include "server/http/observer.h"
#include "server/http/places.h"
#include "server/http/reactor.h"
#include "server/http/router.h"
#include "server/http/server.h"
#include "server/http/source.h"
#include "server/http/tls_slot.h"
#include "server/http/turns.h"

namespace estia::http {

/// What all connections of a listener share; it outlives every one of them.
struct Transport {
  Transport(const Limits& limits_of_all, std::shared_ptr<const TlsContext> with,
            const Poco::Net::SocketAddress& own, std::shared_ptr<const Router> routes)
      : limits(limits_of_all),
        tls(with ? std::make_unique<TlsSlot>(std::move(with)) : nullptr),
        own_address(own),
        router(std::move(routes)),
        connections(limits.connections, limits.per_address),
        budget(limits.buffered_bytes, limits.connections),
        workers(limits.workers, wakeup),
        handshakes(limits.shaking_hands(), wakeup),
        spares(limits.most_spares(), wakeup),
        excuses(1, wakeup),
        answers({.replace = std::min(limits.replace, limits.answer), .give_up = limits.answer},
                spares),
        reactor(*this) {}

  /// Whether this peer begins by saying who the client is.
  [[nodiscard]] bool is_proxy(const Poco::Net::SocketAddress& peer) const {
    return tls != nullptr && !proxies.empty() && proxies.contain(plain_address(peer));
  }

  /// Somebody waits, or a kind of place is full, and nothing has moved for limits.queue.
  [[nodiscard]] bool stalled() const noexcept {
    return turns.stalled(limits.queue) || workers.stalled(limits.queue) ||
           handshakes.stalled(limits.queue);
  }

  Limits limits;
  std::unique_ptr<TlsSlot> tls;          ///< null: plain
  Poco::Net::SocketAddress own_address;  ///< of the Unix socket
  std::shared_ptr<const Router> router;
  Connections connections;
  ByteBudget budget;
  Wakeup wakeup{};    ///< of the reactor, when one of the next has room again
  Places workers;     ///< connections that one may work on
  Places handshakes;  ///< of them, those that shake hands: all but one, so that others have room
  Places spares;      ///< of workers whose places others have, because they do not come back
  Places excuses;     ///< of who only tells requests that no worker came
  Turns turns;
  AnswerWatch answers;
  Networks proxies{};                    ///< whose connections begin with a PROXY header
  std::shared_ptr<Observer> observer{};  ///< may be null
  Reactor reactor;                       ///< last: the connections parked in it go first
};

}  // namespace estia::http
