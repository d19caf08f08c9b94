// SPDX-License-Identifier: Apache-2.0
#include "bench/attackers.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <utility>

namespace estia::bench {
namespace {

constexpr std::chrono::milliseconds kDribble{500};
constexpr std::size_t kBusy = 4;

}  // namespace

SlowAttackers::~SlowAttackers() {
  thread_.request_stop();
  thread_.join();
  for (const int descriptor : plain_) {
    ::close(descriptor);
  }
}

void SlowAttackers::add_plain(int descriptor, const std::string& first, char more) {
  static_cast<void>(::send(descriptor, first.data(), first.size(), MSG_NOSIGNAL));
  const std::lock_guard lock(mutex_);
  plain_.push_back(descriptor);
  plain_byte_ = more;
}

test::TlsClient& SlowAttackers::add_tls(std::uint16_t port, SSL_CTX& context,
                                        const std::string& from, char more, int receive_buffer) {
  const std::lock_guard lock(mutex_);
  tls_byte_ = more;
  return tls_.emplace_back(port, context, from, receive_buffer);
}

void SlowAttackers::dribble(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(kDribble);
    const std::lock_guard lock(mutex_);
    for (const int descriptor : plain_) {
      if (plain_byte_ != 0) {
        static_cast<void>(::send(descriptor, &plain_byte_, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
      }
    }
    for (test::TlsClient& client : tls_) {
      if (tls_byte_ != 0) {
        try {
          client.send(std::string(1, tls_byte_));
        } catch (const std::exception&) {
          // The server has ended it, as it should.
        }
      }
    }
  }
}

BusyAttackers::BusyAttackers(Attempt attempt) : attempt_(std::move(attempt)) {
  for (std::size_t i = 0; i < kBusy; ++i) {
    threads_.emplace_back([this, i](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        try {
          attempt_("127.0.2." + std::to_string(i + 1), stop);
          ++attempts_;
        } catch (const std::exception&) {
          // The server has ended it, as it may.
        }
      }
    });
  }
}

BusyAttackers::~BusyAttackers() {
  for (std::jthread& thread : threads_) {
    thread.request_stop();  // all of them before the first one is waited for
  }
}

}  // namespace estia::bench
