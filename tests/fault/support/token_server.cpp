// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/support/token_server.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace estia::fault {
namespace {

constexpr std::chrono::seconds kLimit{20};
constexpr std::chrono::milliseconds kTryAgain{5};

std::filesystem::path socket_of(const e2e::Installation& installation) {
  return installation.directory() / "token.sock";
}

bool accepts(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.native().size() >= sizeof(address.sun_path)) {
    throw std::runtime_error("the socket's path is too long: " + socket.string());
  }
  std::memcpy(address.sun_path, socket.c_str(), socket.native().size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected =
      ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(descriptor);
  return connected;
}

/// Group and state of a process; the fields behind the program's name in /proc/PID/stat.
std::pair<pid_t, char> group_and_state(const std::filesystem::path& process) {
  std::ifstream file(process / "stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return {0, 'X'};  // it has ended meanwhile
  }
  std::istringstream fields(text.substr(name_end + 1));
  char state = 'X';
  pid_t parent = 0;
  pid_t group = 0;
  fields >> state >> parent >> group;
  return {group, state};
}

}  // namespace

TokenServer::TokenServer(const e2e::Installation& installation) : socket_(socket_of(installation)) {
  std::filesystem::remove(socket_);  // a killed server leaves it
  child_ = std::make_unique<e2e::Child>(e2e::Child::Command{
      .arguments = {"p11-kit", "server", "--foreground", "--provider", e2e::softhsm_module(),
                    "--name", socket_.string(), "pkcs11:"},
      .environment = installation.environment(),
      .out = installation.directory() / "token-server.out",
      .err = installation.directory() / "token-server.err",
      .own_group = true});
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  while (!accepts(socket_)) {
    if (child_->wait(kTryAgain) || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("p11-kit server does not accept: apt-get install p11-kit");
    }
  }
}

std::filesystem::path TokenServer::client_module() {
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
    const std::filesystem::path module = folder.path() / "pkcs11/p11-kit-client.so";
    if (std::filesystem::exists(module)) {
      return module;
    }
  }
  throw std::runtime_error("p11-kit-client.so is missing: apt-get install p11-kit-modules");
}

std::string TokenServer::environment(const e2e::Installation& installation) {
  return "P11_KIT_SERVER_ADDRESS=unix:path=" + socket_of(installation).string();
}

std::size_t TokenServer::processes() const {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    const auto [group, state] = group_and_state(entry.path());
    count += group == child_->pid() && state != 'Z' && state != 'X' ? 1U : 0U;
  }
  return count;
}

void TokenServer::kill() {
  child_->signal_group(SIGKILL);
  const auto deadline = std::chrono::steady_clock::now() + kLimit;
  while (processes() > 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the token server outlives SIGKILL");
    }
    std::this_thread::sleep_for(kTryAgain);
  }
}

}  // namespace estia::fault
