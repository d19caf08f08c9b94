// SPDX-License-Identifier: Apache-2.0
// The plain mode: the same framing, limits and adapter on a Unix socket.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <future>

#include "crypto/base/file.h"
#include "server/http/unix_socket_file.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/unit/http/fixture.h"

namespace estia::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::refusal;

/// A connection of its own; reads until the server ends it, within 20 s.
class LocalClient final {
 public:
  explicit LocalClient(const std::filesystem::path& path)
      : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, kLongestSocketPath);
    const timeval limit{20, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to " + path.string());
    }
  }
  ~LocalClient() { ::close(descriptor_); }
  LocalClient(const LocalClient&) = delete;
  LocalClient& operator=(const LocalClient&) = delete;
  LocalClient(LocalClient&&) = delete;
  LocalClient& operator=(LocalClient&&) = delete;

  void send(std::string_view bytes) const {
    ASSERT_EQ(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Up to the end of the text `until`, or all of it.
  [[nodiscard]] std::string read(const std::string& until = "") const {
    std::string text;
    std::array<char, 4096> chunk;
    for (ssize_t size = 1; size > 0 && (until.empty() || !text.ends_with(until));) {
      size = ::recv(descriptor_, chunk.data(), chunk.size(), 0);
      text.append(chunk.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return text;
  }

 private:
  int descriptor_;
};

class LocalSocket : public ServerTest {
 protected:
  LocalSocket() {
    router_->get("/who", [](const Request& request) {
      return text(request.peer.address + " " + std::to_string(request.peer.local.value().uid) +
                  " " + std::to_string(request.peer.local.value().pid) +
                  (request.peer.chain.empty() ? "" : " chain") +
                  (request.peer.channel_binding ? " binding" : ""));
    });
  }
  void start_local() {
    server_ = std::make_unique<Server>(LocalServerConfig{socket_, limits_}, router_);
    server_->start();
  }
  [[nodiscard]] std::string answer(const std::string& bytes) const {
    const LocalClient client(socket_);
    client.send(bytes);
    return client.read();
  }
  [[nodiscard]] mode_t mode_of(const std::filesystem::path& path) const {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  test::ScratchDirectory scratch_;
  std::filesystem::path directory_ = scratch_.path() / "management";
  std::filesystem::path socket_ = directory_ / "socket";
};

TEST_F(LocalSocket, TellsWhoIsAtTheOtherEnd) {
  start_local();
  const std::string whole = answer(get_request("/who", "Connection: close\r\n"));
  EXPECT_TRUE(whole.starts_with("HTTP/1.1 200 OK\r\n")) << whole;
  EXPECT_TRUE(whole.ends_with("\r\n\r\nunix " + std::to_string(::geteuid()) + " " +
                              std::to_string(::getpid())))
      << whole;
  EXPECT_NE(logged().find("peer=unix:" + std::to_string(::geteuid())), std::string::npos);
}

TEST_F(LocalSocket, KeepsConnectionsAndFramesAsStrictly) {
  start_local();
  const LocalClient client(socket_);
  for (int i = 0; i < 3; ++i) {
    client.send(post_request("/echo", "body-" + std::to_string(i)));
    EXPECT_TRUE(client.read("body-" + std::to_string(i)).starts_with("HTTP/1.1 200 "));
  }
  EXPECT_TRUE(answer("GET /hello HTTP/1.1\nHost: h\n\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(answer(post_request("/echo", std::string(1001, 'x'))).starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(answer("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 400 "));
}

TEST_F(LocalSocket, ARouterThatRefusesThePeerGetsNoBody) {
  class NobodyMay final : public Router {
    RouteMatch match(std::string_view, const std::vector<std::string>&,
                     const PeerInfo& peer) const override {
      const bool known = peer.local && peer.local->uid == ::geteuid();
      return {.handler = [known](const Request&) { return text(known ? "no" : "who?", 403); }};
    }
  };
  server_ =
      std::make_unique<Server>(LocalServerConfig{socket_, limits_}, std::make_shared<NobodyMay>());
  server_->start();
  const std::string answered =
      answer("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");  // and no more
  EXPECT_TRUE(answered.starts_with("HTTP/1.1 403 ")) << answered;
  EXPECT_TRUE(answered.ends_with("\r\n\r\nno")) << answered;
}

TEST_F(LocalSocket, SilentAndSlowClientsEnd) {
  limits_.header = milliseconds(200);
  start_local();
  EXPECT_EQ(answer(""), "");
  EXPECT_TRUE(answer("GET /hello HT").starts_with("HTTP/1.1 408 "));
}

TEST_F(LocalSocket, ALargeAnswerArrivesWholeAndAClientThatDoesNotReadIsCut) {
  limits_.send = seconds(4);  // for 8 MiB on a busy machine under a sanitizer
  router_->get("/large", [](const Request&) { return text(std::string(8U << 20U, 'b')); });
  start_local();
  EXPECT_TRUE(answer(get_request("/large", "Connection: close\r\n"))
                  .ends_with("\r\n\r\n" + std::string(8U << 20U, 'b')));
  {
    const LocalClient stubborn(socket_);
    stubborn.send(get_request("/large"));
    EXPECT_FALSE(stubborn.read("b").ends_with("HTTP/1.1 200"));  // it has begun
    EXPECT_TRUE(server_->drain(seconds(20))) << "the answer's deadline frees the worker";
  }
  EXPECT_NE(logged().find("sent=no"), std::string::npos);
}

TEST_F(LocalSocket, DirectoryAndSocketAreForOwnerAndGroup) {
  start_local();
  EXPECT_EQ(mode_of(directory_), 0750U);
  EXPECT_EQ(mode_of(socket_), 0660U);
  EXPECT_TRUE(server_->drain(seconds(20)));
  EXPECT_FALSE(std::filesystem::exists(socket_)) << "gone once it is stopped";
}

TEST_F(LocalSocket, DrainAnswersWhatIsInFlight) {
  add_slow_route();
  start_local();
  const LocalClient idle(socket_);
  idle.send(get_request("/hello"));
  EXPECT_NE(idle.read("hello"), "");
  const LocalClient busy(socket_);
  busy.send(get_request("/slow"));
  gate_->entered.wait();
  auto drained = std::async(std::launch::async, [&] { return server_->drain(seconds(20)); });
  EXPECT_EQ(idle.read(), "");  // drain has begun
  gate_->release.count_down();
  EXPECT_TRUE(busy.read().ends_with("\r\n\r\nslow"));
  EXPECT_TRUE(drained.get());
}

TEST_F(LocalSocket, AStaleSocketIsReplacedAndALiveOneIsNot) {
  start_local();
  const auto second = [&] {
    Server other(LocalServerConfig{socket_, limits_}, router_);
    other.start();
  };
  EXPECT_EQ(refusal(second), "config http.socket_in_use");
  EXPECT_TRUE(answer(get_request("/hello", "Connection: close\r\n")).ends_with("hello"));
  server_.reset();
  {
    // As a process leaves it that was killed.
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.string().copy(address.sun_path, kLongestSocketPath);
    const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
  }
  EXPECT_TRUE(std::filesystem::is_socket(socket_));
  start_local();
  EXPECT_TRUE(answer(get_request("/hello", "Connection: close\r\n")).ends_with("hello"));
}

/// A listener without a server, on a socket that stays when it ends.
class Listener final {
 public:
  explicit Listener(const std::filesystem::path& path, int type = SOCK_STREAM)
      : descriptor_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, kLongestSocketPath);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_TRUE(type != SOCK_STREAM || ::listen(descriptor_, 0) == 0);
  }
  ~Listener() { ::close(descriptor_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  Listener(Listener&&) = delete;
  Listener& operator=(Listener&&) = delete;

 private:
  int descriptor_;
};

TEST_F(LocalSocket, ASocketThatCannotBeAskedStays) {
  std::filesystem::create_directory(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms(0700));
  const auto take = [&] { const UnixSocketFile file(socket_); };
  {
    const Listener listener(socket_);
#if !defined(__SANITIZE_ADDRESS__)  // -fsanitize=vptr opens a pipe before it looks at an object
    rlimit usual{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
    const rlimit none{0, usual.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const std::string refused = refusal(take);  // EMFILE
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    EXPECT_EQ(refused, "config http.socket_unknown");
    EXPECT_TRUE(std::filesystem::is_socket(socket_));
#endif
    const LocalClient first(socket_);  // fills the queue of those that wait
    EXPECT_EQ(refusal(take), "config http.socket_in_use") << "EAGAIN";
  }
  std::filesystem::remove(socket_);
  {
    const Listener other_kind(socket_, SOCK_DGRAM);
    EXPECT_EQ(refusal(take), "config http.socket_unknown") << "EPROTOTYPE";
    EXPECT_TRUE(std::filesystem::is_socket(socket_));
  }
  EXPECT_NO_THROW(take()) << "now it is known that nobody answers";
}

TEST_F(LocalSocket, WhatIsNoSocketIsNeverRemoved) {
  std::filesystem::create_directory(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms(0700));
  write_new_file(socket_, "precious", FileMode::secret);
  EXPECT_EQ(refusal([&] { start_local(); }), "config http.socket_path");
  EXPECT_EQ(read_file(socket_), "precious");
  std::filesystem::remove(socket_);
  std::filesystem::create_symlink("/dev/null", socket_);
  EXPECT_EQ(refusal([&] { start_local(); }), "config http.socket_path");
  EXPECT_TRUE(std::filesystem::is_symlink(socket_));
}

TEST_F(LocalSocket, ADirectoryThatOthersMayEnterOrChangeIsRefused) {
  std::filesystem::create_directory(directory_);
  for (const unsigned mode : {0755U, 0770U, 0751U, 0702U}) {
    std::filesystem::permissions(directory_, std::filesystem::perms(mode));
    EXPECT_EQ(refusal([&] { start_local(); }), "config http.socket_directory") << mode;
  }
  std::filesystem::remove(directory_);
  std::filesystem::create_directory_symlink(scratch_.path(), directory_);
  EXPECT_EQ(refusal([&] { start_local(); }), "config http.socket_directory");
  std::filesystem::remove(directory_);
  socket_ = scratch_.path() / "none/deeper/socket";
  EXPECT_EQ(refusal([&] { start_local(); }), "config http.socket_directory");
}

TEST_F(LocalSocket, APathThatDoesNotFitIsRefused) {
  const std::size_t rest = kLongestSocketPath - directory_.string().size() - 1;
  socket_ = directory_ / std::string(rest, 's');
  start_local();
  EXPECT_TRUE(answer(get_request("/hello", "Connection: close\r\n")).ends_with("hello"));
  server_.reset();
  socket_ = directory_ / std::string(rest + 1, 's');
  EXPECT_EQ(refusal([&] { start_local(); }), "config http.socket_path");
}

}  // namespace
}  // namespace estia::http
