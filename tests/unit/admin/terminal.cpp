// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/admin/terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "crypto/base/file.h"

namespace estia::test {
namespace {

constexpr int kLimit = 180'000;  // a busy machine is slow, and nothing here hangs for less

}  // namespace

Terminal::Terminal(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment) {
  std::vector<char*> list;
  for (const std::string& argument : arguments) {
    list.push_back(const_cast<char*>(argument.c_str()));
  }
  list.push_back(nullptr);
  pid_ = ::forkpty(&master_, nullptr, nullptr, nullptr);
  if (pid_ == 0) {
    for (const std::string& setting : environment) {
      const std::size_t equals = setting.find('=');
      ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
    }
    ::execv(list.front(), list.data());
    ::_exit(127);
  }
  if (pid_ < 0) {
    throw std::runtime_error("no terminal can be made");
  }
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
}

bool Terminal::read_some(int milliseconds) {
  pollfd ready{master_, POLLIN, 0};
  if (::poll(&ready, 1, milliseconds) <= 0) {
    throw std::runtime_error("the program shows nothing more; it has shown: " + shown_);
  }
  std::array<char, 1024> buffer;
  const ssize_t got = ::read(master_, buffer.data(), buffer.size());
  if (got <= 0) {
    return false;  // EIO: the program has closed its side
  }
  shown_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

void Terminal::answer(const std::string& question, const std::string& keys) {
  std::size_t at = std::string::npos;
  while ((at = shown_.find(question, answered_)) == std::string::npos) {
    if (!read_some(kLimit)) {
      throw std::runtime_error("the program ended before it asked: " + shown_);
    }
  }
  answered_ = at + question.size();
  if (::write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    throw std::runtime_error("nothing can be typed");
  }
}

int Terminal::wait() {
  while (read_some(kLimit)) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string Terminal::command_line() const {
  return read_file("/proc/" + std::to_string(pid_) + "/cmdline");
}

}  // namespace estia::test
