// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "server/http/tls_context.h"

namespace estia::http {

/// The TLS identity in force: connections that exist keep the one they began with. Any thread.
class TlsSlot final {
 public:
  explicit TlsSlot(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}

  [[nodiscard]] crypto::SslPtr new_connection() const {
    const std::shared_lock lock(mutex_);
    return context_->new_connection();
  }
  void forget_sessions() {
    const std::unique_lock lock(mutex_);
    context_ = context_->without_sessions();
  }
  void replace(std::shared_ptr<const TlsContext> context) {
    const std::unique_lock lock(mutex_);
    context_.swap(context);
  }

 private:
  mutable std::shared_mutex mutex_;  // guards context_; GCC 12 has no clean atomic<shared_ptr>
  std::shared_ptr<const TlsContext> context_;
};

}  // namespace estia::http
