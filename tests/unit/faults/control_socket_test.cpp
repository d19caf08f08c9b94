// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/control_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <thread>

#include "hsm/faults/client.h"
#include "hsm/faults/socket_address.h"
#include "tests/support/scratch_directory.h"

namespace estia::hsm::faults {
namespace {

class ControlSocketTest : public testing::Test {
 protected:
  /// Answers "echo LINE"; "wait" is answered when who asked has hung up.
  void listen() const {
    new ControlSocket(path_, [](std::string_view line, const Injector::Gone& gone) {
      while (line == "wait" && !gone()) {
        std::this_thread::yield();
      }
      gave_up_ = gave_up_ || line == "wait";
      return "echo " + std::string(line) + "\nok\n";
    });
  }
  [[nodiscard]] std::string refusal() const {
    try {
      listen();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  /// Sends the bytes, says that no more will come, and reads to the end.
  [[nodiscard]] std::string exchange(const std::string& bytes) const {
    const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = socket_address(path_);
    if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(connection);
      return "cannot connect";
    }
    const auto sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    EXPECT_EQ(sent, static_cast<ssize_t>(bytes.size()));
    ::shutdown(connection, SHUT_WR);
    std::string answer;
    std::array<char, 512> part{};
    for (ssize_t got = 0; (got = ::recv(connection, part.data(), part.size(), 0)) > 0;) {
      answer.append(part.data(), static_cast<std::size_t>(got));
    }
    ::close(connection);
    return answer;
  }

  test::ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_.path() / "socket";
  static inline std::atomic<bool> gave_up_ = false;  // threads of a socket outlive its test
};

TEST_F(ControlSocketTest, LinesAreAnsweredInTurn) {
  listen();
  EXPECT_EQ(exchange("one\ntwo\n"), "echo one\nok\necho two\nok\n");
  Client client(path_);
  EXPECT_EQ(client.ask("three").text, "echo three\n");
  EXPECT_TRUE(client.ask("four").ok);
}

TEST_F(ControlSocketTest, ALineWithoutItsEndIsNone) {
  listen();
  EXPECT_EQ(exchange("one\ntwo"), "echo one\nok\n");
  EXPECT_EQ(exchange(""), "");
}

TEST_F(ControlSocketTest, ALineWithoutAnEndIsNotKept) {
  listen();
  EXPECT_EQ(exchange(std::string(8000, 'x')), "");
  EXPECT_EQ(exchange("one\n"), "echo one\nok\n");
}

TEST_F(ControlSocketTest, WhoWaitsKeepsNobodyAndGivesUpWhenHeHangsUp) {
  listen();
  {
    const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = socket_address(path_);
    ASSERT_EQ(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    ASSERT_EQ(::send(connection, "wait\n", 5, MSG_NOSIGNAL), 5);
    EXPECT_EQ(exchange("other\n"), "echo other\nok\n");
    EXPECT_FALSE(gave_up_);
    ::close(connection);
  }
  while (!gave_up_) {  // ctest's limit ends this if he is never missed
    std::this_thread::yield();
  }
}

TEST_F(ControlSocketTest, OnlyItsUserMayOpenTheFile) {
  const mode_t before = ::umask(0);
  listen();
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

/// The file's mode is the first line; this is the second, behind a mode that somebody changed.
TEST_F(ControlSocketTest, AnotherUserIsRefused) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can be another user";
  }
  listen();
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  ASSERT_EQ(::chmod(scratch_.path().c_str(), 0755), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool other = ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0;
    ::_exit(other && exchange("one\n") == "error: this user may not give orders\n" ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(exchange("one\n"), "echo one\nok\n") << "root is served";
}

TEST_F(ControlSocketTest, OneThatIsInUseIsNotTakenAway) {
  listen();
  EXPECT_EQ(refusal(), "another process listens on it");
  EXPECT_EQ(exchange("one\n"), "echo one\nok\n");
}

TEST_F(ControlSocketTest, OneThatADeadProcessLeftIsReplaced) {
  const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = socket_address(path_);
  ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(left);
  listen();
  EXPECT_EQ(exchange("one\n"), "echo one\nok\n");
}

TEST_F(ControlSocketTest, AFileInTheWayStays) {
  std::ofstream(path_) << "precious";
  EXPECT_EQ(refusal(), "it is in the way, and not a socket");
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(ControlSocketTest, ADirectoryThatOthersWriteToIsRefused) {
  for (const mode_t mode : {0770U, 0707U, 01777U}) {
    ASSERT_EQ(::chmod(scratch_.path().c_str(), mode), 0);
    EXPECT_NE(refusal().find("others may write"), std::string::npos) << mode;
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ControlSocketTest, APathThatNoSocketCanHaveIsRefused) {
  path_ = scratch_.path() / std::string(200, 'x');
  EXPECT_NE(refusal().find("at most 107 bytes"), std::string::npos);
  path_ = scratch_.path() / "missing" / "socket";
  EXPECT_NE(refusal().find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace estia::hsm::faults
