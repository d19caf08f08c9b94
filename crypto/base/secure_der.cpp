// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secure_der.h"

#include <algorithm>
#include <utility>

namespace estia::der {
namespace {

std::span<std::uint8_t> append(std::span<std::uint8_t> out, ByteView bytes) {
  std::ranges::copy(bytes, out.begin());
  return out.subspan(bytes.size());
}

}  // namespace

Layout::Layout(Bytes shown) : shown_(std::move(shown)), size_(shown_.size()) {}

Layout Layout::secret(const SecureBytes& bytes) {
  Layout layout;
  layout.secret_ = bytes.view();
  layout.size_ = bytes.size();
  return layout;
}

Layout Layout::element(std::uint8_t tag, std::vector<Layout> parts) {
  std::size_t content = 0;
  for (const Layout& part : parts) {
    content += part.size();
  }
  Layout layout(header(tag, content));
  layout.size_ += content;
  layout.parts_ = std::move(parts);
  return layout;
}

SecureBytes Layout::written() const {
  SecureBytes out(size_);
  static_cast<void>(write(out.span()));
  return out;
}

std::span<std::uint8_t> Layout::write(std::span<std::uint8_t> out) const {
  out = append(append(out, shown_), secret_);
  for (const Layout& part : parts_) {
    out = part.write(out);
  }
  return out;
}

}  // namespace estia::der
