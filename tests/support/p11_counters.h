// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <stdexcept>

namespace estia::test {

/// What the shim module of another process counts, and one order to it, in a file that both map:
/// the environment variable kP11CountersFile names it. All zero when new.
struct P11Counters {
  struct Function {
    std::atomic<std::uint64_t> calls;
    std::atomic<std::uint64_t> most_in_flight;
  };
  Function sign;   ///< C_Sign
  Function login;  ///< C_Login
  /// From now on calls of C_Sign wait until so many are inside at once; then it is 0 again and they
  /// go on. One that nobody joins within 10 s goes on alone, and is counted.
  std::atomic<std::uint64_t> sign_meeting;
  std::atomic<std::uint64_t> missed_meetings;
  std::atomic<std::uint64_t> rsa_generations;  ///< that are going on
  std::atomic<bool> hold_rsa_generation;       ///< they do not return as long as this holds
  std::atomic<std::uint64_t>
      inside;  ///< calls of any function that the module has not returned from
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr const char* kP11CountersFile = "ESTIA_P11_COUNTERS";

/// The file, mapped for as long as this lives. Any thread.
class P11CountersFile final {
 public:
  enum class Open { create, existing };
  P11CountersFile(const std::filesystem::path& file, Open how) {
    const int flags = O_RDWR | O_CLOEXEC | (how == Open::create ? O_CREAT | O_EXCL : 0);
    const int descriptor = ::open(file.c_str(), flags, 0600);
    if (descriptor < 0 || ::ftruncate(descriptor, sizeof(P11Counters)) != 0) {
      throw std::runtime_error("cannot open " + file.string());
    }
    void* memory =
        ::mmap(nullptr, sizeof(P11Counters), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    if (memory == MAP_FAILED) {
      throw std::runtime_error("cannot map " + file.string());
    }
    counters_ = static_cast<P11Counters*>(memory);
  }
  ~P11CountersFile() { ::munmap(counters_, sizeof(P11Counters)); }
  P11CountersFile(const P11CountersFile&) = delete;
  P11CountersFile& operator=(const P11CountersFile&) = delete;
  P11CountersFile(P11CountersFile&&) = delete;
  P11CountersFile& operator=(P11CountersFile&&) = delete;

  [[nodiscard]] P11Counters& operator*() const noexcept { return *counters_; }
  [[nodiscard]] P11Counters* operator->() const noexcept { return counters_; }

 private:
  P11Counters* counters_ = nullptr;
};

}  // namespace estia::test
