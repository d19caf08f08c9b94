// SPDX-License-Identifier: Apache-2.0
#include "admin/token/look_at_module.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "admin/token/module_json.h"
#include "crypto/base/error.h"

namespace estia::admin {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

Json unusable(const std::filesystem::path& module, const std::string& trouble) {
  return {{"path", module.string()},
          {"loadable", false},
          {"trouble", trouble},
          {"library", nullptr},
          {"slots", Json::array()}};
}

Json look_here(const std::filesystem::path& module, const std::string& init_args) {
  try {
    Json report = module_json(hsm::report_on_module(module, init_args));
    Json whole = {{"path", module.string()}, {"loadable", true}, {"trouble", nullptr}};
    whole.update(report);
    return whole;
  } catch (const Error& error) {
    // What a token's error says first is for clients: come again later.
    const bool detail_says_all = error.code() == ErrorCode::token && !error.detail().empty();
    return unusable(module, detail_says_all          ? error.detail()
                            : error.detail().empty() ? std::string(error.what())
                                                     : error.what() + (": " + error.detail()));
  } catch (const std::exception& error) {
    return unusable(module, error.what());
  }
}

/// The child's part; never returns.
[[noreturn]] void tell(int pipe, const Json& report) {
  // A token's label may be no UTF-8.
  const std::string text = report.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t wrote = ::write(pipe, text.data() + sent, text.size() - sent);
    if (wrote < 0 && errno != EINTR) {
      break;
    }
    sent += wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
  }
  ::_exit(0);  // the module's own destructors may hang, too
}

/// Standard output is this command's own, whatever a module says there.
void redirect(ModuleNoise noise) {
  if (noise == ModuleNoise::hidden) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
      ::dup2(nowhere, STDERR_FILENO);
    }
  }
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

/// All that comes until the other end closes; nullopt at the deadline.
std::optional<std::string> read_until(int pipe, Clock::time_point deadline) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{pipe, POLLIN, 0};
    const int polled = ::poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (polled < 0 && errno == EINTR) {
      continue;
    }
    if (polled <= 0) {
      return std::nullopt;
    }
    const ssize_t got = ::read(pipe, buffer.data(), buffer.size());
    if (got <= 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string ending_of(int status) {
  return WIFSIGNALED(status)
             ? "it ended its process by signal " + std::to_string(WTERMSIG(status))
             : "it ended its process with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Json look_at_module(const std::filesystem::path& module, const std::string& init_args,
                    ModuleNoise noise, std::chrono::milliseconds limit) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(ErrorCode::internal, "token.look", "no pipe to a child process can be made");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    redirect(noise);
    tell(ends[1], look_here(module, init_args));
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    throw Error(ErrorCode::internal, "token.look", "no child process can be made");
  }
  const std::optional<std::string> text = read_until(ends[0], Clock::now() + limit);
  ::close(ends[0]);
  if (!text) {
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!text) {
    return unusable(module, "it did not answer within " + std::to_string(limit.count()) + " ms");
  }
  Json report = Json::parse(*text, nullptr, false);
  return report.is_object() ? report : unusable(module, ending_of(status));
}

}  // namespace estia::admin
