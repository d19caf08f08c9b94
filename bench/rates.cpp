// SPDX-License-Identifier: Apache-2.0
#include "bench/rates.h"

#include <array>
#include <ostream>
#include <stdexcept>

#include "bench/bare_server.h"
#include "bench/load_rows.h"
#include "bench/ratio.h"
#include "bench/scale.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr const char* kBench = "network";
constexpr std::size_t kRounds = 9;

struct Way {
  const char* name;
  Connections connections;
  std::size_t clients;
  std::size_t each;  ///< requests of one client in a round; of a connection estiad serves 1,000
  bool asks;         ///< a request, or the handshake alone
  std::optional<double> goal;
};
constexpr std::array<Way, 3> kWays{{
    {"handshake", Connections::new_each, 4, 150, false, std::nullopt},
    {"one-shot", Connections::new_each, 4, 150, true, .85},
    {"keep-alive", Connections::kept, 16, 300, true, .50},
}};

test::HttpAnswer ask(const Served& server, SSL_CTX& context) {
  test::TlsClient client(server.port, context);
  client.send(kCaCertsRequest);
  return client.read_answer();
}

/// Rounds of one way, at both servers by turns.
struct Rounds {
  Compared cpu_us;
  Compared seconds;  ///< for one

  void add(const LoadResult& result, bool bare) {
    (bare ? cpu_us.reference : cpu_us.subject).push_back(result.server_cpu_us);
    (bare ? seconds.reference : seconds.subject).push_back(result.seconds / result.enrolments);
  }
};

void add_rows(const Way& way, const Rounds& rounds, std::vector<Row>& rows) {
  const Ratio ratio = ratio_of_rounds(rounds.cpu_us);
  rows.push_back({.bench = kBench,
                  .name = way.name,
                  .value = median(rounds.cpu_us.subject),
                  .unit = kCpuUnit,
                  .reference = median(rounds.cpu_us.reference),
                  .ratio = ratio.value,
                  .goal = way.goal});
  add_interval_rows(kBench, way.name, ratio, rows);
  rows.push_back({.bench = kBench,
                  .name = way.name,
                  .value = 1 / median(rounds.seconds.subject),
                  .unit = "/s, machine shared",
                  .reference = 1 / median(rounds.seconds.reference),
                  .ratio = ratio_of_rounds(rounds.seconds).value});
}

}  // namespace

void add_rates(Site& site, double scale, std::ostream& progress, std::vector<Row>& rows) {
  const crypto::SslCtxPtr context = test::make_client_context({});
  const test::HttpAnswer answer = ask(site.served(), *context);
  const std::filesystem::path identity = site.installation().state() / "tls";
  const BareServer bare(identity / "server.key", identity / "server.pem", answer.head + answer.body,
                        site.installation().directory());
  if (answer.status != 200 || ask(bare.served(), *context).head != answer.head) {
    throw std::runtime_error("the two servers do not answer alike: " + answer.head);
  }
  for (const Way& way : kWays) {
    progress << "network: " << way.name << ", estiad and the bare server by turns" << std::endl;
    const std::vector<std::string> requests(scaled(way.each, scale, 3),
                                            std::string(way.asks ? kCaCertsRequest : ""));
    const std::vector<Client> clients(way.clients, Client{context.get(), requests});
    Rounds rounds;
    for (std::size_t i = 0; i < scaled(kRounds, scale, 3); ++i) {
      for (const bool second : {false, true}) {
        const bool to_bare = second == (i % 2 == 0);  // whoever is first finds other caches
        const Served server = to_bare ? bare.served() : site.served();
        rounds.add(run_load(clients, way.connections, server), to_bare);
      }
    }
    add_rows(way, rounds, rows);
  }
}

}  // namespace estia::bench
