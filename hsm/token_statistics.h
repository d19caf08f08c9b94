// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace estia::hsm {

/// What a token's calls have come to, over all its attachments; for metrics. Any thread.
class TokenStatistics final {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = Clock::duration;

  /// Upper bounds of the signatures' histogram, in seconds; one more bucket has what is above.
  static constexpr std::array<double, 12> kBounds{.0001, .00025, .0005, .001, .0025, .005,
                                                  .01,   .025,   .1,    .5,   2.5,   10};

  struct Counts {
    std::uint64_t waits = 0;     ///< for a session, by those who found none free
    std::uint64_t timeouts = 0;  ///< of them, in vain
    double wait_seconds = 0;
    std::array<std::uint64_t, kBounds.size() + 1> signatures{};  ///< by time, each bucket alone
    double sign_seconds = 0;
    std::map<std::string, std::uint64_t> errors{};  ///< by ckr_name
  };

  void waited(Duration time, bool in_vain) noexcept;
  /// C_SignInit and C_Sign gave a signature, just now, and took that long.
  void signed_in(Duration time) noexcept;
  /// When the last signature came; long ago before the first one.
  [[nodiscard]] Clock::time_point last_signature() const noexcept {
    return Clock::time_point(Duration(last_signature_.load(std::memory_order_relaxed)));
  }
  /// A call failed. Codes beyond the first kMostCodes are counted together, as "other": a module
  /// may answer anything.
  void failed(unsigned long rv) noexcept;  ///< a CK_RV
  static constexpr std::size_t kMostCodes = 64;

  [[nodiscard]] Counts counts() const;

 private:
  std::atomic<std::uint64_t> waits_{0};
  std::atomic<std::uint64_t> timeouts_{0};
  std::atomic<std::uint64_t> wait_nanoseconds_{0};
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> signatures_{};
  std::atomic<std::uint64_t> sign_nanoseconds_{0};
  std::atomic<Duration::rep> last_signature_{0};
  mutable std::mutex mutex_;  ///< guards errors_
  std::map<std::string, std::uint64_t> errors_;
};

}  // namespace estia::hsm
