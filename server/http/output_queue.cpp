// SPDX-License-Identifier: Apache-2.0
#include "server/http/output_queue.h"

#include <utility>

namespace estia::http {
namespace {

std::string_view view_of(
    const std::variant<std::string, std::shared_ptr<const SecureBytes>>& part) {
  const auto* text = std::get_if<std::string>(&part);
  return text != nullptr ? std::string_view(*text)
                         : as_text(std::get<std::shared_ptr<const SecureBytes>>(part)->view());
}

}  // namespace

void OutputQueue::add(std::string_view text) {
  if (text.empty()) {
    return;
  }
  // OpenSSL lets what it is to take again grow, but not change.
  if (!parts_.empty() && std::holds_alternative<std::string>(parts_.back())) {
    std::get<std::string>(parts_.back()).append(text);
  } else {
    parts_.emplace_back(std::string(text));
  }
}

void OutputQueue::add(std::shared_ptr<const SecureBytes> secret) {
  if (secret && secret->size() > 0) {
    parts_.emplace_back(std::move(secret));
  }
}

std::size_t OutputQueue::buffered() const noexcept {
  std::size_t total = 0;
  for (const Part& part : parts_) {
    const auto* text = std::get_if<std::string>(&part);
    total += text != nullptr ? text->size() : 0;
  }
  return total;
}

IoStatus OutputQueue::send_to(Stream& stream) {
  while (!parts_.empty()) {
    const std::string_view whole = view_of(parts_.front());
    const IoResult result = stream.write(whole.substr(sent_));
    if (result.status != IoStatus::done) {
      return result.status;
    }
    sent_ += result.size;
    if (sent_ == whole.size()) {
      parts_.pop_front();
      sent_ = 0;
    }
  }
  return IoStatus::done;
}

}  // namespace estia::http
