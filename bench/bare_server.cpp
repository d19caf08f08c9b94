// SPDX-License-Identifier: Apache-2.0
#include "bench/bare_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "crypto/base/file.h"
#include "crypto/openssl/require.h"
#include "server/http/tls_context.h"

namespace estia::bench {
namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kEventsAtOnce = 256;
constexpr std::size_t kRecord = 16384;

void set(int descriptor, int option) {
  const int on = 1;
  static_cast<void>(::setsockopt(descriptor, IPPROTO_TCP, option, &on, sizeof on));
}

/// One connection, level-triggered: what one call leaves, the next event brings again.
class BareConnection final {
 public:
  BareConnection(int descriptor, crypto::SslPtr ssl)
      : descriptor_(descriptor), ssl_(std::move(ssl)) {
    crypto::require(::SSL_set_fd(ssl_.get(), descriptor_), "SSL_set_fd");
  }
  ~BareConnection() { ::close(descriptor_); }  // which also takes it out of the epoll set
  BareConnection(const BareConnection&) = delete;
  BareConnection& operator=(const BareConnection&) = delete;
  BareConnection(BareConnection&&) = delete;
  BareConnection& operator=(BareConnection&&) = delete;

  [[nodiscard]] std::uint32_t events() const noexcept { return events_; }

  /// As far as it goes now; false when the connection has ended.
  bool serve(std::string_view answer) {
    ::ERR_clear_error();
    if (!established_) {
      return handshake();
    }
    return answers_ > 0 ? write(answer) : read(answer);
  }

 private:
  bool handshake() {
    const int result = ::SSL_do_handshake(ssl_.get());
    established_ = result == 1;
    if (!established_) {
      return waits(result);
    }
    set(descriptor_, TCP_QUICKACK);  // else a client with Nagle's algorithm waits 40 ms
    events_ = EPOLLIN;
    return true;
  }

  bool read(std::string_view answer) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    std::array<char, kRecord> chunk;
    std::size_t size = 0;
    const int result = ::SSL_read_ex(ssl_.get(), chunk.data(), chunk.size(), &size);
    if (result != 1) {
      return waits(result);
    }
    received_.append(chunk.data(), size);
    for (auto end = received_.find(kEnd); end != std::string::npos; end = received_.find(kEnd)) {
      received_.erase(0, end + kEnd.size());
      ++answers_;
    }
    return answers_ == 0 || write(answer);
  }

  bool write(std::string_view answer) {
    while (answers_ > 0) {
      std::size_t size = 0;
      const int result =
          ::SSL_write_ex(ssl_.get(), answer.data() + sent_, answer.size() - sent_, &size);
      if (result != 1) {
        return waits(result);
      }
      sent_ += size;
      if (sent_ == answer.size()) {
        sent_ = 0;
        --answers_;
      }
    }
    events_ = EPOLLIN;
    return true;
  }

  bool waits(int result) {
    const int reason = ::SSL_get_error(ssl_.get(), result);
    if (reason == SSL_ERROR_ZERO_RETURN) {
      static_cast<void>(::SSL_shutdown(ssl_.get()));
    }
    events_ = reason == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN;
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
  }

  const int descriptor_;
  crypto::SslPtr ssl_;
  bool established_ = false;
  std::uint32_t events_ = EPOLLIN;
  std::string received_;
  std::size_t answers_ = 0;  // to be sent
  std::size_t sent_ = 0;     // of the first of them
};

class Loop final {
 public:
  Loop(int listener, const http::TlsContext& context, std::string answer)
      : listener_(listener),
        context_(context),
        answer_(std::move(answer)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!change(EPOLL_CTL_ADD, listener_, EPOLLIN)) {
      throw std::runtime_error("no epoll");
    }
  }

  [[noreturn]] void run() {
    std::array<epoll_event, kEventsAtOnce> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        if (descriptor == listener_) {
          accept_one();
        } else {
          serve(descriptor);
        }
      }
    }
  }

 private:
  [[nodiscard]] bool change(int operation, int descriptor, std::uint32_t wanted) const {
    epoll_event event{.events = wanted, .data = {.fd = descriptor}};
    return ::epoll_ctl(epoll_, operation, descriptor, &event) == 0;
  }

  void accept_one() {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      return;
    }
    set(descriptor, TCP_NODELAY);
    const auto place = static_cast<std::size_t>(descriptor);
    connections_.resize(std::max(connections_.size(), place + 1));
    connections_[place] = std::make_unique<BareConnection>(descriptor, context_.new_connection());
    static_cast<void>(change(EPOLL_CTL_ADD, descriptor, EPOLLIN));
  }

  void serve(int descriptor) {
    auto& connection = connections_.at(static_cast<std::size_t>(descriptor));
    const std::uint32_t before = connection->events();
    if (!connection->serve(answer_)) {
      connection.reset();
    } else if (connection->events() != before) {
      static_cast<void>(change(EPOLL_CTL_MOD, descriptor, connection->events()));
    }
  }

  const int listener_;
  const http::TlsContext& context_;
  const std::string answer_;
  const int epoll_;
  std::vector<std::unique_ptr<BareConnection>> connections_;  // by descriptor
};

}  // namespace

BareServer::BareServer(const std::filesystem::path& key, const std::filesystem::path& certificate,
                       const std::string& answer, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "bare-answer";
  replace_file(file, answer, FileMode::readable);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, where, size) != 0 || ::listen(listener, kBacklog) != 0 ||
      ::getsockname(listener, where, &size) != 0 || ::fcntl(listener, F_SETFD, 0) != 0) {
    ::close(listener);
    throw std::runtime_error("cannot listen for the bare server");
  }
  port_ = ntohs(address.sin_port);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  child_ = std::make_unique<e2e::Child>(e2e::Child::Command{
      .arguments = {self, kBareServer, std::to_string(listener), key, certificate, file},
      .out = folder / "bare-out",
      .err = folder / "bare-err"});
  ::close(listener);
}

void serve_bare(const std::vector<std::string>& arguments) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // a connection that breaks is an error
  const http::TlsContext context({crypto::PrivateKey::from_pem(read_secret_file(arguments.at(1))),
                                  crypto::Certificate::parse_pem(read_file(arguments.at(2)))},
                                 http::Resumption::off);
  Loop(std::stoi(arguments.at(0)), context, read_file(arguments.at(3))).run();
}

}  // namespace estia::bench
