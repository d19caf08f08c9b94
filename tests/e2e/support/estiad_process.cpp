// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/estiad_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <iostream>
#include <stdexcept>

#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

constexpr std::chrono::seconds kReadyLimit{120};  // an RSA key is made, slowly by sanitizers
constexpr std::chrono::seconds kStopLimit{40};

std::vector<std::string> command(const Installation& installation,
                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> whole{program("estiad"), "--state", installation.state().string()};
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  return whole;
}

}  // namespace

EstiadProcess::EstiadProcess(const Installation& installation,
                             const std::vector<std::string>& arguments) {
  static std::atomic<int> number = 0;
  const std::filesystem::path directory =
      installation.directory() / ("estiad-" + std::to_string(++number));
  std::filesystem::create_directory(directory);
  out_ = directory / "out";
  err_ = directory / "err";
  std::vector<std::string> whole = command(
      installation, {"--port", "0", "--ready-file", (directory / "ready" / "port").string()});
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  std::filesystem::create_directory(directory / "ready");
  child_ = std::make_unique<Child>(Child::Command{
      .arguments = whole, .environment = installation.environment(), .out = out_, .err = err_});
  wait_until_ready(directory / "ready");
}

void EstiadProcess::wait_until_ready(const std::filesystem::path& ready) {
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  ::inotify_add_watch(watch, ready.c_str(), IN_MOVED_TO);
  const auto deadline = std::chrono::steady_clock::now() + kReadyLimit;
  while (!std::filesystem::exists(ready / "port")) {  // looked at after the watch was set
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    std::array<pollfd, 2> events{{{watch, POLLIN, 0}, {child_->descriptor(), POLLIN, 0}}};
    const int changed =
        left.count() > 0 ? ::poll(events.data(), events.size(), static_cast<int>(left.count())) : 0;
    if (changed <= 0 || events[1].revents != 0) {
      ::close(watch);
      throw std::runtime_error("estiad is not ready: " + out() + err());
    }
    std::array<char, 4096> ignored;
    static_cast<void>(!::read(watch, ignored.data(), ignored.size()));
  }
  ::close(watch);
  const std::string text = read_file(ready / "port");
  port_ = text.substr(0, text.find('\n'));
}

int EstiadProcess::stop() {
  child_->signal(SIGTERM);
  const std::optional<int> code = child_->wait(kStopLimit);
  if (!code) {
    throw std::runtime_error("estiad did not stop: " + err());
  }
  if (*code != 0) {  // a sanitizer's report is in there
    std::cerr << err();
  }
  return *code;
}

std::string EstiadProcess::out() const {
  return read_file(out_);
}

std::string EstiadProcess::ops_address() const {
  const std::string log = err();
  const std::string key = " ops=";
  const std::size_t at = log.find(key) + key.size();
  return log.substr(at, log.find_first_of(" \n", at) - at);
}

std::string EstiadProcess::err() const {
  return read_file(err_);
}

Finished run_estiad(const Installation& installation, const std::vector<std::string>& arguments) {
  return run(command(installation, arguments), installation.directory(),
             installation.environment());
}

}  // namespace estia::e2e
