// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/SocketAddress.h>
#include <poll.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/byte_budget.h"
#include "server/http/channel.h"
#include "server/http/observer.h"
#include "server/http/output_queue.h"
#include "server/http/places.h"
#include "server/http/proxy_header.h"
#include "server/http/request_reader.h"

namespace estia::http {

struct Transport;

/// One client's connection, from its acceptance to its end. Nothing here waits: when it cannot go
/// on, it is parked in the Reactor until there is something to read or write, or a deadline has
/// passed. All deadlines are totals. Belongs to one worker, or to the reactor, at a time.
class Connection final {
 public:
  /// Takes the descriptor, which `transport` has admitted; it outlives the connection. `proxy`: the
  /// peer begins by saying who the client is.
  Connection(int descriptor, const Poco::Net::SocketAddress& peer, bool proxy,
             Transport& transport);
  /// Closes it. What is not sent by then is lost.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  enum class Next {
    request,  ///< take_request() and answer it
    wait,     ///< park it
    end,      ///< close it
  };
  /// Goes on as far as it can: what is to be sent, the handshake, the next request. By a worker.
  [[nodiscard]] Next advance();
  [[nodiscard]] ReceivedRequest take_request();
  /// What Poco needs to know of a request to answer it: whether it is HEAD, and whether the
  /// connection stays. Before take_request().
  [[nodiscard]] std::string head_for_poco() const;

  /// Its worker does not come back. Both by AnswerWatch, in the worker's stead: another one may
  /// have the place, and the turn ends with the answer; `last_words` are what the client still
  /// hears, as far as they go at once.
  void replace_worker(Places::Place spare) noexcept {
    worker_ = std::move(spare);
    replaced_ = true;
  }
  void give_up(std::string_view last_words) noexcept;
  /// Nothing can be sent any more.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// For the answer; both keep what does not go at once.
  void send(std::string_view data);
  void send(std::shared_ptr<const SecureBytes> secret);
  /// The answer is whole. `sent` hears once whether TLS took every byte of it, maybe in another
  /// thread; it throws nothing.
  void finish_answer(std::function<void(bool)> sent);

  /// Sends what is left, says good-bye, and waits for the client's. True: park it for that; false:
  /// destroy it.
  [[nodiscard]] bool close();
  /// Nothing but the client's end is waited for; the reactor itself reads on.
  [[nodiscard]] bool lingering() const noexcept { return state_ == State::lingering; }
  /// Of one that lingers: false when it is over.
  [[nodiscard]] bool drop_input() noexcept;

  /// Where a parked one waits, for what and until when.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] short events() const noexcept {
    // What may go on at once waits for what is there already: room to send.
    return lingering() || proxy_ ? short{POLLIN} : again_ ? short{POLLOUT} : channel_->events();
  }
  [[nodiscard]] Deadline deadline() const noexcept { return deadline_; }
  /// Between two requests, with nothing to do: the first to go when there is no room.
  [[nodiscard]] bool idle() const noexcept { return state_ == State::open && !first_ && !busy_; }

  /// Of a parked one: it waits for its client, which has sent nothing that is not read.
  [[nodiscard]] bool waits_for_nothing_begun() const noexcept;

  /// It goes next: for the log and who counts.
  void fail_handshake(const std::string& reason) const;
  [[nodiscard]] bool shakes_hands() const noexcept { return state_ == State::handshake; }
  /// Since when it could go on, if there were a worker.
  void set_ready(Deadline when) noexcept { ready_ = when; }
  [[nodiscard]] Deadline waits_since() const { return ready_.value(); }
  /// Its handshake has had a turn.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  /// The client has left, as far as the kernel knows.
  [[nodiscard]] bool gone() const noexcept;
  /// It has one, until end_turn() or its end. `handshake` as long as it shakes hands.
  void begin_turn(Places::Place worker, std::optional<Places::Place> handshake) noexcept {
    worker_ = std::move(worker);
    handshake_ = std::move(handshake);
    begun_ = true;
    replaced_ = false;
    excuse_ = false;
    again_ = false;
    answered_ = 0;
  }
  /// Likewise, for a request that waited too long: no other one is answered.
  void begin_excuse(Places::Place place) noexcept {
    begin_turn(std::move(place), std::nullopt);
    excuse_ = true;
  }
  void end_turn() noexcept {
    handshake_.reset();
    worker_.reset();
  }
  [[nodiscard]] const Poco::Net::SocketAddress& peer_address() const noexcept {
    return peer_address_;
  }

 private:
  enum class State { handshake, open, lingering };

  [[nodiscard]] bool introduced();
  void take_client();
  void turn_away(TurnedAway why) noexcept;
  [[nodiscard]] bool established();
  [[nodiscard]] IoStatus shake_hands();
  [[nodiscard]] Next send_rest();
  [[nodiscard]] Next read_request();
  [[nodiscard]] bool flush();
  void report(bool sent);
  [[nodiscard]] bool waited_too_long() const;
  [[nodiscard]] bool goodbye();

  Transport& transport_;
  const int descriptor_;
  Poco::Net::SocketAddress peer_address_;
  std::optional<ProxyHeaderReader> proxy_{};  ///< until a load balancer has said who the client is
  const std::unique_ptr<Channel> channel_;
  RequestReader reader_;
  OutputQueue output_;
  ByteBudget::Share share_;
  State state_ = State::handshake;
  Deadline deadline_;                ///< of what it waits for
  std::optional<Deadline> ready_{};  ///< since when it waits for a worker
  std::optional<PeerInfo> peer_;     ///< once established
  bool begun_ = false;               ///< it had a turn
  bool first_ = true;                ///< no request yet
  bool busy_ = false;                ///< from a request's first byte to its answer's last
  bool closing_ = false;             ///< no further request
  bool broken_ = false;              ///< nothing can be sent any more
  bool replaced_ = false;            ///< in this turn another worker took the place
  bool excuse_ = false;              ///< this turn is for an excuse alone
  bool again_ = false;               ///< it had its turn and could go on
  std::size_t answered_ = 0;         ///< in this turn
  std::size_t peer_bytes_ = 0;       ///< of the client's chain
  std::size_t requests_ = 0;
  std::size_t dropped_ = 0;          ///< bytes of one that lingers
  std::optional<Deadline> send_by_;  ///< from the answer's first byte
  std::function<void(bool)> on_sent_;
  std::optional<Places::Place> worker_{};
  std::optional<Places::Place> handshake_{};
};

}  // namespace estia::http
