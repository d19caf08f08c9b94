// SPDX-License-Identifier: Apache-2.0
#include "server/app/process_guard.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "crypto/base/error.h"

namespace estia::app {
namespace {

void require_done(bool done, const char* what) {
  if (!done) {
    throw Error(ErrorCode::internal, "process.guard", std::string(what) + " failed");
  }
}

sigset_t stop_signals() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  return set;
}

sigset_t handled_signals() noexcept {
  sigset_t set = stop_signals();
  ::sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void guard_process() {
  const sigset_t handled = handled_signals();
  require_done(::pthread_sigmask(SIG_BLOCK, &handled, nullptr) == 0, "pthread_sigmask");
  require_done(::signal(SIGPIPE, SIG_IGN) != SIG_ERR, "signal(SIGPIPE)");
  const rlimit none{0, 0};
  require_done(::setrlimit(RLIMIT_CORE, &none) == 0, "setrlimit(RLIMIT_CORE)");
  require_done(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "prctl(PR_SET_DUMPABLE)");
  ::umask(077);
}

std::string own_name() {
  return "estiad uid " + std::to_string(::geteuid());
}

bool allow_descriptors(std::size_t count) {
  rlimit limit{};
  require_done(::getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit(RLIMIT_NOFILE)");
  if (limit.rlim_cur < count) {
    limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
    require_done(::setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit(RLIMIT_NOFILE)");
  }
  return limit.rlim_cur >= count;
}

Signal wait_for_signal() {
  const sigset_t handled = handled_signals();
  for (;;) {
    int number = 0;
    const int error = ::sigwait(&handled, &number);
    require_done(error == 0 || error == EINTR, "sigwait");
    if (error == 0) {
      return number == SIGHUP ? Signal::reload : Signal::stop;
    }
  }
}

bool readable_before_stop(int descriptor) {
  const sigset_t stops = stop_signals();
  const int signals = ::signalfd(-1, &stops, SFD_CLOEXEC);
  require_done(signals >= 0, "signalfd");
  std::array<pollfd, 2> wanted{pollfd{descriptor, POLLIN, 0}, pollfd{signals, POLLIN, 0}};
  int ready = 0;
  do {
    ready = ::poll(wanted.data(), wanted.size(), -1);
  } while (ready < 0 && errno == EINTR);
  ::close(signals);
  require_done(ready > 0, "poll");
  return wanted[0].revents != 0;
}

void let_next_stop_signal_kill() {
  const sigset_t stops = stop_signals();
  require_done(::signal(SIGTERM, SIG_DFL) != SIG_ERR, "signal(SIGTERM)");
  require_done(::signal(SIGINT, SIG_DFL) != SIG_ERR, "signal(SIGINT)");
  require_done(::pthread_sigmask(SIG_UNBLOCK, &stops, nullptr) == 0, "pthread_sigmask");
}

}  // namespace estia::app
