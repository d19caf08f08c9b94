// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "hsm/faults/socket_address.h"

namespace estia::hsm::faults {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

}  // namespace

Client::Client(const std::filesystem::path& socket) {
  const sockaddr_un address = socket_address(socket);
  connection_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(connection_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(connection_);
    errno = error;
    fail("cannot reach a module at " + socket.string());
  }
}

Client::~Client() {
  ::close(connection_);
}

Answer Client::ask(std::string_view order) {
  std::string rest = std::string(order) + "\n";
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      fail("the order could not be sent");
    }
    rest.erase(0, sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
  constexpr std::string_view kError = "error: ";
  Answer answer;
  for (;;) {
    const std::string line = read_line();
    if (line == "ok") {
      answer.ok = true;
      return answer;
    }
    if (line.starts_with(kError)) {
      answer.text = line.substr(kError.size());
      return answer;
    }
    answer.text += line + "\n";
  }
}

std::string Client::read_line() {
  std::size_t end = 0;
  while ((end = buffered_.find('\n')) == std::string::npos) {
    std::array<char, 1024> part{};
    const ssize_t got = ::recv(connection_, part.data(), part.size(), 0);
    if (got < 0 && errno != EINTR) {
      fail("no answer");
    }
    if (got == 0) {
      throw std::runtime_error("no answer: the connection was closed");
    }
    buffered_.append(part.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  std::string line = buffered_.substr(0, end);
  buffered_.erase(0, end + 1);
  return line;
}

}  // namespace estia::hsm::faults
