// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "server/est/target.h"
#include "server/http/message.h"

namespace estia::est {

/// GET /cacerts: the CA's chain up to and including the root (EST-4.1.3-c), to anybody
/// (EST-4.2-a). The answers are encoded once per snapshot; no token and no store is touched. Any
/// thread.
class CaCertificates final {
 public:
  [[nodiscard]] http::Response answer(const Target& target, const http::Request& request);

 private:
  struct Encoded {
    std::string one_line;
    std::string wrapped;
  };
  using ByCa = std::map<std::string, Encoded, std::less<>>;
  [[nodiscard]] std::shared_ptr<const ByCa> encoded(
      const std::shared_ptr<const ca::Snapshot>& snapshot);

  std::mutex mutex_;                            // guards the two below
  std::weak_ptr<const ca::Snapshot> snapshot_;  // the one that encoded_ was made from
  std::shared_ptr<const ByCa> encoded_;
};

}  // namespace estia::est
