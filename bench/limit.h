// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>

#include "bench/parts.h"

namespace estia::bench {

enum class Handshake { none, server_only, mutual };

/// The sum-of-parts limit: what the machine could do if an enrolment cost nothing but its parts.
class Limit final {
 public:
  Limit(const Parts& parts, std::map<std::size_t, StoreSpeed> stores, unsigned cores)
      : parts_(parts), stores_(std::move(stores)), cores_(cores) {}

  /// Microseconds of CPU for one enrolment.
  [[nodiscard]] double cpu_us(Handshake handshake, std::size_t clients) const {
    return handshake_us(handshake) + parts_.csr + parts_.key + parts_.sign + parts_.verify +
           stores_.at(clients).cpu_us;
  }

  /// Enrolments per second, when each also costs `other_us` that are no part of it; never more than
  /// the store alone can make durable for so many clients.
  [[nodiscard]] double per_second(Handshake handshake, std::size_t clients,
                                  double other_us = 0) const {
    const double by_cpu = cores_ * 1e6 / (cpu_us(handshake, clients) + other_us);
    return std::min(by_cpu, stores_.at(clients).per_second);
  }

 private:
  [[nodiscard]] double handshake_us(Handshake handshake) const {
    switch (handshake) {
      case Handshake::none:
        return 0;
      case Handshake::server_only:
        return parts_.handshake;
      case Handshake::mutual:
        return parts_.mutual_handshake;
    }
    return 0;
  }

  Parts parts_;
  std::map<std::size_t, StoreSpeed> stores_;  // by how many clients write at once
  unsigned cores_;
};

}  // namespace estia::bench
