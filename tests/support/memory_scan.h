// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "crypto/base/bytes.h"

namespace estia::test {

/// Something to look for in this process's memory that is not itself there to be found: it is kept
/// with every bit inverted.
class Needle final {
 public:
  Needle() = default;  ///< of nothing: looking for it throws
  explicit Needle(ByteView secret);
  /// Of one that only another process has seen.
  [[nodiscard]] static Needle of_inverted(Bytes inverted);
  /// As the limbs of a big number lie in memory: the last byte first.
  [[nodiscard]] static Needle reversed(ByteView secret);
  /// What a secret looks like inside the base64 text of `whole`, which begins at whole's begin:
  /// those characters that no byte outside of [at, at + size) takes part in.
  [[nodiscard]] static Needle in_base64(ByteView whole, std::size_t at, std::size_t size);

  [[nodiscard]] const Bytes& inverted() const noexcept { return inverted_; }

 private:
  Bytes inverted_;
};

struct Sightings {
  std::size_t secure_heap = 0;  ///< OpenSSL's
  std::size_t elsewhere = 0;    ///< ordinary heap, stacks, static memory
};

/// How often it stands in memory that this process may write to, whoever wrote it. What a sanitizer
/// maps for itself (regions over 1 GiB) is not looked at. No other thread may write meanwhile.
[[nodiscard]] Sightings look_for(const Needle& needle);

/// The same of another process, which may be at work meanwhile. Needs the right to trace it.
[[nodiscard]] std::size_t count_in(pid_t process, const Needle& needle);

}  // namespace estia::test
