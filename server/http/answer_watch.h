// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace estia::http {

/// Gives up workers that do not come back, from a token that hangs as a rule (D15): their clients
/// hear of it, and other workers take their places. Any thread.
class AnswerWatch final {
 public:
  /// Nothing but sending what can go at once: it is called by the thread that watches all of them.
  /// `spare`: whether another worker may take this one's place.
  using GiveUp = std::function<void(bool spare)>;

 private:
  struct Entry;
  using Entries = std::list<std::shared_ptr<Entry>>;

 public:
  /// `most_spare` workers may be missed at one time.
  AnswerWatch(std::chrono::milliseconds limit, std::size_t most_spare);
  /// Whatever is watched is over.
  ~AnswerWatch();
  AnswerWatch(const AnswerWatch&) = delete;
  AnswerWatch& operator=(const AnswerWatch&) = delete;
  AnswerWatch(AnswerWatch&&) = delete;
  AnswerWatch& operator=(AnswerWatch&&) = delete;

  /// One piece of work, watched as long as this lives.
  class Watched final {
   public:
    Watched(AnswerWatch& watch, GiveUp give_up);
    ~Watched() { static_cast<void>(in_time()); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    Watched(Watched&&) = delete;
    Watched& operator=(Watched&&) = delete;

    /// The work is over. False: it was given up before, and what `give_up` used is the caller's
    /// again.
    [[nodiscard]] bool in_time() noexcept;

   private:
    AnswerWatch& watch_;
    std::shared_ptr<Entry> entry_;
    Entries::iterator place_;
  };

 private:
  void run();
  void give_up(Entry& entry) noexcept;

  const std::chrono::milliseconds limit_;
  const std::size_t most_spare_;
  std::mutex mutex_;  ///< guards what follows; taken after an Entry's own
  std::condition_variable stopped_;
  Entries entries_;  ///< not given up, in the order of their ends: all have the same time
  std::size_t spare_ = 0;
  bool stop_ = false;
  std::thread thread_;  ///< last
};

}  // namespace estia::http
