// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "crypto/base/secure_bytes.h"
#include "server/http/stream.h"

namespace estia::http {

/// What is still to be sent, in its order. One thread at a time.
class OutputQueue final {
 public:
  void add(std::string_view text);
  /// Is not copied, and released once it is sent.
  void add(std::shared_ptr<const SecureBytes> secret);
  [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
  /// Of what is not sent, without secrets: those are the secure heap's.
  [[nodiscard]] std::size_t buffered() const noexcept;

  /// As much as goes now: done when all is gone, wait, or closed.
  [[nodiscard]] IoStatus send_to(Stream& stream);
  void clear() noexcept { parts_.clear(); }

 private:
  using Part = std::variant<std::string, std::shared_ptr<const SecureBytes>>;

  std::deque<Part> parts_;
  std::size_t sent_ = 0;  ///< of the first part
};

}  // namespace estia::http
