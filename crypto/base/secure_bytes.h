// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "crypto/base/bytes.h"

namespace estia {

/// Makes the process's secure heap of `size` bytes, a power of two: OpenSSL's, which also keeps the
/// private values of keys it parses. Locked in memory, between guard pages, out of core files. Once
/// per process, before the first SecureBytes and before other threads start; a second call does
/// nothing. Throws Error{config, "secure_heap.unavailable"} when the system does not lock so much
/// memory (RLIMIT_MEMLOCK).
void open_secure_heap(std::size_t size);

/// Bytes that hold a private key, or something made of one. They live in the secure heap only and
/// are wiped when they go; never printable, never copied. One thread at a time.
class SecureBytes final {
 public:
  SecureBytes() = default;
  /// Zeros. Throws Error{busy, "secure_heap.full"}, and Error{internal, "secure_heap.not_open"}
  /// rather than to use ordinary memory.
  explicit SecureBytes(std::size_t size);
  ~SecureBytes();
  SecureBytes(SecureBytes&& other) noexcept;
  SecureBytes& operator=(SecureBytes&& other) noexcept;
  SecureBytes(const SecureBytes&) = delete;  // a copy is a second place to wipe
  SecureBytes& operator=(const SecureBytes&) = delete;

  [[nodiscard]] std::span<std::uint8_t> span() noexcept { return {data_, size_}; }
  [[nodiscard]] ByteView view() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::uint8_t* data() noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Wipes and forgets what is behind `size`, which is at most size().
  void shrink(std::size_t size) noexcept;

 private:
  void free() noexcept;

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t allocated_ = 0;
};

}  // namespace estia
