// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/support/load.h"

#include <signal.h>
#include <strings.h>

#include <stdexcept>

#include "crypto/keys/private_key.h"
#include "tests/support/certificates.h"
#include "tests/support/est_request.h"

namespace estia::fault {
namespace {

constexpr std::chrono::milliseconds kMoment{20};

/// nullopt: the connection broke before a whole answer was there.
std::optional<test::HttpAnswer> ask(test::TlsClient& connection, const std::string& request) {
  try {
    connection.send(request);
    return connection.read_answer();
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

bool says_close(const test::HttpAnswer& answer) {
  const auto found = answer.fields.find("Connection");
  return found != answer.fields.end() && ::strcasecmp(found->second.c_str(), "close") == 0;
}

std::unique_ptr<test::TlsClient> connect(std::uint16_t port) {
  try {
    return std::make_unique<test::TlsClient>(port);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace

struct Load::Request {
  std::string name;  ///< empty: none
  std::string bytes;
};

/// The devices of one client: each with a key and a name that nobody else uses.
class Load::Devices final {
 public:
  Devices(std::size_t client, std::string authorization)
      : prefix_("device-" + std::to_string(client) + "-"),
        authorization_(std::move(authorization)) {}

  [[nodiscard]] Request next() {
    const std::string name = prefix_ + std::to_string(++number_);
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    return {name, test::est_request("simpleenroll", test::make_csr_der(key, "CN=" + name),
                                    authorization_)};
  }

 private:
  const std::string prefix_;
  const std::string authorization_;
  int number_ = 0;
};

Load::Load(std::size_t clients, const std::string& account, Refused refused)
    : authorization_(test::basic_authorization(account)), refused_(refused) {
  ::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a killed server must not end the test
  for (std::size_t i = 0; i < clients; ++i) {
    clients_.emplace_back([this, i] {
      try {
        run_client(i);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        defect_ = error.what();
      }
    });
  }
}

Load::~Load() {
  try {
    finish();
  } catch (const std::exception&) {
    // The test has failed already, or calls finish() itself.
  }
}

int Load::open(const std::string& port) {
  const std::lock_guard lock(mutex_);
  server_ = {static_cast<std::uint16_t>(std::stoul(port)), server_.life + 1};
  changed_.notify_all();
  return server_.life;
}

void Load::finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  for (std::thread& client : clients_) {
    client.join();
  }
  clients_.clear();
  if (!defect_.empty()) {
    throw std::runtime_error("a client ended by itself: " + defect_);
  }
}

std::optional<Load::Server> Load::wait_for_server(int last) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ending_ || server_.life > last; });
  return ending_ ? std::nullopt : std::optional(server_);
}

bool Load::ending() {
  const std::lock_guard lock(mutex_);
  return ending_;
}

void Load::run_client(std::size_t index) {
  const bool repeats = index % 2 == 0;
  Devices devices(index, authorization_);
  Request request;
  int last = 0;
  while (const std::optional<Server> server = wait_for_server(last)) {
    last = server->life;
    End end = End::closed;
    while (end == End::closed) {
      end = use_connection(*server, devices, request);
    }
    if (end == End::broken && !repeats) {
      request = {};
    }
  }
}

Load::End Load::use_connection(const Server& server, Devices& devices, Request& request) {
  const auto connection = connect(server.port);
  while (connection && !ending()) {
    if (request.name.empty()) {
      request = devices.next();
    }
    log_.sending(request.name);
    const std::optional<test::HttpAnswer> answer = ask(*connection, request.bytes);
    if (!answer) {
      log_.lost(request.name);
      return End::broken;
    }
    log_.answered(request.name, server.life, *answer);
    request = {};
    if (answer->status != 200) {
      if (refused_ == Refused::waits) {
        return End::refused;
      }
      std::this_thread::sleep_for(kMoment);
    }
    if (says_close(*answer)) {
      return End::closed;
    }
  }
  return End::broken;
}

}  // namespace estia::fault
