// SPDX-License-Identifier: Apache-2.0
#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "crypto/base/secret_prompt.h"
#include "server/app/daemon.h"
#include "server/app/own_thread.h"
#include "server/app/process_guard.h"
#include "server/ops/log.h"
#include "server/provision/state_access.h"
#include "server/provision/state_layout.h"

namespace estia::server {
namespace {

constexpr int kFailed = 1;
constexpr int kMisuse = 2;

struct Arguments {
  std::string state;
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  std::optional<std::string> ready_file;
  bool check_config = false;
  bool ask_pin = false;
};

void declare(CLI::App& parser, Arguments& arguments) {
  parser.add_option("--state", arguments.state, "state directory made by 'estia init'")
      ->required()
      ->type_name("DIR");
  parser.add_option("--host", arguments.host, "listen here instead of listener.est.host")
      ->type_name("H");
  parser.add_option("--port", arguments.port, "listen here instead of listener.est.port (0: any)")
      ->type_name("N");
  parser.add_option("--ready-file", arguments.ready_file, "write the port here once it accepts")
      ->type_name("F");
  parser.add_flag("--check-config", arguments.check_config,
                  "check configuration, files and store; open no port");
  parser.add_flag("--ask-pin", arguments.ask_pin,
                  "ask on the terminal for the PINs that an operator brings (pin_from)");
  parser.set_version_flag("--version", "estiad " ESTIA_VERSION);
}

app::ProcessConfig load(const provision::StateLayout& layout, const Arguments& arguments) {
  app::ProcessConfig config = app::load_process_config(layout.configuration(), layout.directory());
  config.est.host = arguments.host.value_or(config.est.host);
  config.est.port = arguments.port.value_or(config.est.port);
  return config;
}

/// A running daemon holds the lock and the store; the files can be checked beside it.
void check(const provision::StateLayout& layout, const app::ProcessConfig& config) {
  std::optional<provision::StateLock> lock;
  try {
    lock.emplace(layout);
  } catch (const Error& error) {
    if (error.id() != "state.locked") {
      throw;
    }
  }
  app::check_configuration(config, lock ? app::CheckStore::yes : app::CheckStore::no);
  std::cout << "ok " << config.file.string() << (lock ? "" : " (store not checked: it is in use)")
            << std::endl;
}

/// The file comes last: whoever waits for it finds the line already there.
void announce(const std::string& host, std::uint16_t port, const Arguments& arguments) {
  const bool v6 = host.find(':') != std::string::npos;
  std::cout << "ready est https://" << (v6 ? "[" + host + "]" : host) << ":" << port
            << " pid=" << ::getpid() << std::endl;
  if (arguments.ready_file) {
    replace_file(*arguments.ready_file, std::to_string(port) + "\n", FileMode::secret);
  }
}

ops::Level log_level(const std::string& name) {
  if (name == "trace" || name == "debug") {
    return ops::Level::debug;
  }
  if (name == "warn") {
    return ops::Level::warning;
  }
  return name == "error" ? ops::Level::error : ops::Level::info;
}

/// Before anything else happens: whoever starts it is still looking.
app::BroughtPins ask_pins(const app::ProcessConfig& config, bool ask) {
  app::BroughtPins pins;
  if (!ask) {
    return pins;
  }
  SecretPrompt prompt;
  if (!prompt.possible()) {
    throw Error(ErrorCode::config, "daemon.no_terminal", "--ask-pin: nobody can be asked here");
  }
  const auto ask_for = [&](const std::string& name, const app::ProcessConfig::Token& token) {
    if (token.pin_from == app::ProcessConfig::PinFrom::operators) {
      pins.emplace(name, prompt.ask("PIN of the token " + name));
    }
  };
  ask_for(app::Tokens::kMain, config.token);
  for (const auto& [name, token] : config.tokens) {
    ask_for(name, token);
  }
  return pins;
}

/// All is done and on record; closing a token's sessions may still hang in its module (D15).
void take_down(std::unique_ptr<app::Daemon> daemon) {
  constexpr std::chrono::seconds kPatience{10};
  auto gone = std::async(std::launch::async, [&] { daemon.reset(); });
  if (gone.wait_for(kPatience) != std::future_status::ready) {
    ops::log(ops::Level::warning, "daemon.token_silent",
             {{"reason", "a token's sessions could not be closed in time"}});
    ::_exit(0);
  }
}

/// Null: it was to stop before it had begun. A token may be silent for long.
std::unique_ptr<app::Daemon> make_daemon(const app::ProcessConfig& config, app::BroughtPins pins) {
  constexpr std::chrono::seconds kPatience{2};
  const int made = ::eventfd(0, EFD_CLOEXEC);
  if (made < 0) {
    throw Error(ErrorCode::internal, "process.guard", "eventfd failed");
  }
  auto daemon = app::in_own_thread([&config, made, pins = std::move(pins)]() mutable {
    struct Tell {
      int whom;
      ~Tell() { static_cast<void>(::eventfd_write(whom, 1)); }
    } const tell{made};
    return std::make_unique<app::Daemon>(config, std::move(pins));
  });
  if (app::readable_before_stop(made)) {
    daemon.wait();  // nobody writes to it any more
    ::close(made);
    return daemon.get();
  }
  ops::log(ops::Level::info, "daemon.start_stopped", {});
  if (daemon.wait_for(kPatience) != std::future_status::ready) {
    ::_exit(0);
  }
  take_down(daemon.get());
  return nullptr;
}

void serve(const provision::StateLayout& layout, const app::ProcessConfig& config,
           const Arguments& arguments) {
  ops::set_up_log(log_level(config.log_level));
  const provision::StateLock lock(layout);
  // Besides connections: the store's readers, the token module's files, what libraries open.
  constexpr std::size_t kOtherDescriptors = 256;
  if (!app::allow_descriptors(config.limits.connections + kOtherDescriptors)) {
    ops::log(ops::Level::warning, "daemon.descriptors",
             {{"reason", "the hard limit of open files is below limits.connections"}});
  }
  auto daemon = make_daemon(config, ask_pins(config, arguments.ask_pin));
  if (!daemon) {
    return;
  }
  daemon->start();
  announce(config.est.host, daemon->port(), arguments);
  while (app::wait_for_signal() == app::Signal::reload) {
    daemon->reload_tls();
  }
  app::let_next_stop_signal_kill();
  const app::Daemon::Stopped stopped = daemon->stop();
  if (stopped != app::Daemon::Stopped::complete) {
    // Waiting for a call that hangs inside a module has no end (D15), for one that looks for primes
    // takes minutes.
    if (stopped == app::Daemon::Stopped::token_busy) {
      ops::log(ops::Level::info, "daemon.token_silent",
               {{"reason", "a call that nobody waits for is not back"}});
    }
    ::_exit(stopped == app::Daemon::Stopped::token_busy ? 0 : kFailed);
  }
  take_down(std::move(daemon));
}

/// The reason, then what only the operator may know.
void report(const Error& error) {
  std::cerr << "estiad: " << error.what();
  if (!error.detail().empty()) {
    std::cerr << " (" << error.detail() << ")";
  }
  std::cerr << " [" << error.id() << "]" << std::endl;
}

int run(int argc, char** argv) {
  CLI::App parser("Estia's EST server");
  Arguments arguments;
  declare(parser, arguments);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? 0 : kMisuse;
  }
  try {
    app::guard_process();
    const provision::StateLayout layout(arguments.state);
    provision::check_state_access(layout);
    const app::ProcessConfig config = load(layout, arguments);
    if (arguments.check_config) {
      check(layout, config);
    } else {
      serve(layout, config, arguments);
    }
    return 0;
  } catch (const Error& error) {
    report(error);
  } catch (const std::exception& error) {
    std::cerr << "estiad: " << error.what() << std::endl;
  }
  std::cout.flush();
  // A thread may be in a call of a module that does not come back: nothing is taken down beside it.
  ::_exit(kFailed);
}

}  // namespace
}  // namespace estia::server

int main(int argc, char** argv) {
  return estia::server::run(argc, argv);
}
