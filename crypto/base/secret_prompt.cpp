// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secret_prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

#include "crypto/base/error.h"
#include "crypto/base/stop_signals_held.h"

namespace estia {
namespace {

constexpr std::size_t kMost = 255;
constexpr unsigned char kBackspace = 0x08;
constexpr unsigned char kDelete = 0x7F;

/// Characters come one by one, unseen, and none of them is a signal.
class Unseen final {
 public:
  explicit Unseen(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal_, &before_) != 0) {
      throw Error(ErrorCode::conflict, "cli.declined", "the terminal cannot hide what is typed");
    }
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG);
    hidden.c_cc[VMIN] = 1;
    hidden.c_cc[VTIME] = 0;
    if (::tcsetattr(terminal_, TCSAFLUSH, &hidden) != 0) {
      throw Error(ErrorCode::conflict, "cli.declined", "the terminal cannot hide what is typed");
    }
  }
  ~Unseen() { static_cast<void>(::tcsetattr(terminal_, TCSAFLUSH, &before_)); }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  Unseen(Unseen&&) = delete;
  Unseen& operator=(Unseen&&) = delete;

  [[nodiscard]] bool is_key(unsigned char c, int which) const {
    return before_.c_cc[which] != _POSIX_VDISABLE && c == before_.c_cc[which];
  }

 private:
  int terminal_;
  termios before_{};
};

/// Of a fixed size, so that no copy is left where a buffer grew.
class Line final {
 public:
  Line() = default;
  ~Line() { cleanse(std::span(bytes_)); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  Line(Line&&) = delete;
  Line& operator=(Line&&) = delete;

  void add(unsigned char c) {
    if (c == 0 || size_ == bytes_.size()) {
      throw Error(ErrorCode::config, "token.pin", "a PIN has 4 to 255 bytes, and no NUL");
    }
    bytes_[size_++] = c;
  }
  void remove_last() noexcept { size_ -= size_ > 0 ? 1U : 0U; }
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] Secret secret() const { return Secret(ByteView(bytes_).first(size_)); }

 private:
  std::array<std::uint8_t, kMost> bytes_{};
  std::size_t size_ = 0;
};

void say(int terminal, const std::string& text) {
  static_cast<void>(!::write(terminal, text.data(), text.size()));
}

/// The next character; throws at the end of the terminal.
unsigned char next(int terminal) {
  for (;;) {
    unsigned char c = 0;
    const ssize_t got = ::read(terminal, &c, 1);
    if (got == 1) {
      return c;
    }
    if (got == 0 || errno != EINTR) {
      throw Error(ErrorCode::conflict, "cli.declined", "nothing was changed");
    }
  }
}

}  // namespace

SecretPrompt::SecretPrompt() noexcept
    : terminal_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}

SecretPrompt::~SecretPrompt() {
  if (terminal_ >= 0) {
    ::close(terminal_);
  }
}

Secret SecretPrompt::ask(const std::string& question) {
  const StopSignalsHeld held;
  const Unseen unseen(terminal_);
  say(terminal_, question + ": ");
  Line line;
  for (;;) {
    const unsigned char c = next(terminal_);
    if (c == '\n' || c == '\r') {
      say(terminal_, "\n");
      return line.secret();
    }
    if (unseen.is_key(c, VINTR) || unseen.is_key(c, VQUIT) || unseen.is_key(c, VEOF)) {
      say(terminal_, "\n");
      throw Error(ErrorCode::conflict, "cli.declined", "nothing was changed");
    }
    if (unseen.is_key(c, VKILL)) {
      line.clear();
    } else if (c == kBackspace || c == kDelete || unseen.is_key(c, VERASE)) {
      line.remove_last();
    } else {
      line.add(c);
    }
  }
}

}  // namespace estia
