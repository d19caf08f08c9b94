// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <stdexcept>

#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) {
    list.push_back(const_cast<char*>(text.c_str()));
  }
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;  // the first of two equal names counts
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : added) {
      replaced = replaced || other.starts_with(name);
    }
    if (!replaced) {
      all.emplace_back(text);
    }
  }
  return all;
}

// Ends what hangs; a JVM on a busy machine is not hanging yet after a minute.
constexpr std::chrono::seconds kRunLimit{180};
constexpr int kOutputFlags = O_WRONLY | O_CREAT | O_APPEND;

}  // namespace

Child::Child(const Command& command) : own_group_(command.own_group) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, command.in.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, command.out.c_str(), kOutputFlags, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, command.err.c_str(), kOutputFlags, 0600);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  if (own_group_) {
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // group 0: the child's own pid
  }
  const std::vector<std::string> environment = environment_with(command.environment);
  const int error =
      ::posix_spawnp(&pid_, command.arguments.front().c_str(), &actions, &attributes,
                     pointers(command.arguments).data(), pointers(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw std::runtime_error("cannot start " + command.arguments.front() + ": " +
                             std::strerror(error));
  }
  // Not pidfd_open(): the header of glibc 2.36 lacks extern "C".
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Child::~Child() {
  if (!result_) {
    if (own_group_) {
      signal_group(SIGKILL);
    }
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(pidfd_);
}

void Child::signal(int number) const {
  if (!result_) {
    ::kill(pid_, number);
  }
}

void Child::signal_group(int number) const {
  if (own_group_ && !result_) {
    ::kill(-pid_, number);
  }
}

std::optional<int> Child::wait(std::chrono::milliseconds limit) {
  if (result_) {
    return result_;
  }
  pollfd ended{pidfd_, POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(limit.count())) <= 0) {
    return std::nullopt;
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  result_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result_;
}

Finished run(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
             const std::vector<std::string>& environment) {
  static std::atomic<int> number = 0;
  const std::string name = "run-" + std::to_string(++number);
  const std::filesystem::path out = scratch / (name + ".out");
  const std::filesystem::path err = scratch / (name + ".err");
  Child child({.arguments = arguments, .environment = environment, .out = out, .err = err});
  const std::optional<int> code = child.wait(kRunLimit);
  if (!code) {
    throw std::runtime_error(arguments.front() + " did not end within " +
                             std::to_string(kRunLimit.count()) + " s");
  }
  return {*code, read_file(out), read_file(err)};
}

std::string run_ok(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
                   const std::vector<std::string>& environment) {
  const Finished finished = run(arguments, scratch, environment);
  if (finished.code != 0) {
    std::string line;
    for (const std::string& argument : arguments) {
      line += argument + " ";
    }
    throw std::runtime_error(line + "ended with " + std::to_string(finished.code) + ": " +
                             finished.out + finished.err);
  }
  return finished.out;
}

}  // namespace estia::e2e
