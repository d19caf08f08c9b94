// SPDX-License-Identifier: Apache-2.0
// planted_race http|openssl|sqlite: two threads write one int, each in a function of ours that the
// library named calls. ThreadSanitizer must end the program; exit status 0 means that it was
// silent.
#include <openssl/bio.h>
#include <sqlite3.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>
#include <string_view>
#include <thread>

#include "server/http/server.h"
#include "tests/support/tls_client.h"

namespace estia {
namespace {

std::atomic<int> arrived{0};
int shared = 0;

/// Nothing orders the two writes: relaxed operations only bring both threads here.
[[gnu::noinline]] void planted_race() {
  arrived.fetch_add(1, std::memory_order_relaxed);
  while (arrived.load(std::memory_order_relaxed) < 2) {
    std::this_thread::yield();
  }
  ++shared;
}

class RacingRouter final : public http::Router {
 public:
  [[nodiscard]] http::RouteMatch match(std::string_view /*method*/,
                                       const std::vector<std::string>& /*segments*/,
                                       const http::PeerInfo& /*peer*/) const override {
    http::RouteMatch match;
    match.handler = [](const http::Request&) {
      planted_race();
      return http::Response{};
    };
    return match;
  }
};

void run_twice(void (*function)()) {
  const std::jthread first(function);
  const std::jthread second(function);
}

void race_in_handlers() {
  const http::TlsIdentity ca = test::make_tls_identity("CN=issuer of the server");
  http::Server server({.host = "127.0.0.1", .port = 0, .limits = {}},
                      test::make_tls_identity("CN=localhost", std::chrono::hours(24), &ca),
                      std::make_shared<RacingRouter>());
  server.start();
  const auto request = [port = server.port()] {
    test::TlsClient client(port);
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    static_cast<void>(client.read_answer());
  };
  const std::jthread first(request);
  const std::jthread second(request);
}

void race_below_openssl() {
  run_twice([] {
    BIO* bio = BIO_new(BIO_s_null());
    BIO_set_callback_ex(bio,
                        [](BIO*, int operation, const char*, std::size_t, int, long, int result,
                           std::size_t*) -> long {
                          if (operation == BIO_CB_WRITE) {
                            planted_race();
                          }
                          return result;
                        });
    BIO_write(bio, "x", 1);
    BIO_set_callback_ex(bio, nullptr);
    BIO_free(bio);
  });
}

void race_below_sqlite() {
  run_twice([] {
    sqlite3* database = nullptr;
    sqlite3_open(":memory:", &database);
    const auto row = [](void*, int, char**, char**) {
      planted_race();
      return 0;
    };
    sqlite3_exec(database, "SELECT 1", row, nullptr, nullptr);
    sqlite3_close(database);
  });
}

int run(std::string_view library) {
  std::signal(SIGPIPE, SIG_IGN);
  if (library == "http") {
    race_in_handlers();
  } else if (library == "openssl") {
    race_below_openssl();
  } else if (library == "sqlite") {
    race_below_sqlite();
  } else {
    return 2;
  }
  return arrived == 2 ? 0 : 1;
}

}  // namespace
}  // namespace estia

int main(int argc, char** argv) {
  return argc == 2 ? estia::run(argv[1]) : 2;
}
