// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "server/http/places.h"

namespace estia::http {

/// Watches workers that do not come back, from a token that hangs as a rule (D15): soon another
/// worker takes the place of such a one, whose client waits on; much later the client is told.
/// Any thread.
class AnswerWatch final {
 public:
  /// What becomes of one that is late: each happens once at most. Nothing but what can be done at
  /// once: it is called by the thread that watches all of them.
  struct Late {
    /// It goes on, with the spare place instead of its own.
    std::function<void(Places::Place spare)> replace;
    /// Its client is told. `replaced`: another worker has its place.
    std::function<void(bool replaced)> give_up;
  };
  /// Since its beginning.
  struct Times {
    std::chrono::milliseconds replace;  ///< more than none
    std::chrono::milliseconds give_up;  ///< not before `replace`
  };

 private:
  struct Entry;
  using Entries = std::list<std::shared_ptr<Entry>>;

 public:
  /// As many can be replaced at one time as there are `spares`, which outlive this; nobody else
  /// takes any of them.
  AnswerWatch(Times times, Places& spares);
  /// Whatever is watched is over.
  ~AnswerWatch();
  AnswerWatch(const AnswerWatch&) = delete;
  AnswerWatch& operator=(const AnswerWatch&) = delete;
  AnswerWatch(AnswerWatch&&) = delete;
  AnswerWatch& operator=(AnswerWatch&&) = delete;

  /// One piece of work, watched as long as this lives.
  class Watched final {
   public:
    Watched(AnswerWatch& watch, Late late);
    ~Watched() { static_cast<void>(in_time()); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    Watched(Watched&&) = delete;
    Watched& operator=(Watched&&) = delete;

    /// The work is over. False: it was given up before. What `Late` used is the caller's again.
    [[nodiscard]] bool in_time() noexcept;

   private:
    AnswerWatch& watch_;
    std::shared_ptr<Entry> entry_;
    Entries::iterator place_;
  };

 private:
  void run();
  void replace(Entry& entry) noexcept;
  void replace_locked(Entry& entry);
  void give_up(Entry& entry) noexcept;

  const Times times_;
  Places& spares_;
  std::mutex mutex_;  ///< guards what follows; taken after an Entry's own
  std::condition_variable stopped_;
  Entries new_;   ///< not late; both in the order of their ends: all have the same times
  Entries late_;  ///< not given up
  bool stop_ = false;
  std::thread thread_;  ///< last
};

}  // namespace estia::http
