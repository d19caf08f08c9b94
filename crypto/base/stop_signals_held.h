// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

namespace estia {

/// A token whose change is interrupted is left without a PIN, or, on SoftHSM, unreadable: stop
/// signals wait as long as this lives. One thread.
class StopSignalsHeld final {
 public:
  StopSignalsHeld() {
    ::sigset_t stop;
    ::sigemptyset(&stop);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      ::sigaddset(&stop, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &stop, &before_);
  }
  ~StopSignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignalsHeld(const StopSignalsHeld&) = delete;
  StopSignalsHeld& operator=(const StopSignalsHeld&) = delete;
  StopSignalsHeld(StopSignalsHeld&&) = delete;
  StopSignalsHeld& operator=(StopSignalsHeld&&) = delete;

 private:
  ::sigset_t before_{};
};

}  // namespace estia
