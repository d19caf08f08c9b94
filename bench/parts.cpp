// SPDX-License-Identifier: Apache-2.0
#include "bench/parts.h"

#include <future>
#include <latch>
#include <stdexcept>

#include "bench/cpu.h"
#include "crypto/openssl/require.h"
#include "crypto/x509/csr.h"
#include "server/ca/issuer.h"
#include "server/http/tls_context.h"
#include "server/store/store.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

using crypto::require;

/// One handshake over a pair of buffers; returns what the server's end took.
double shake_hands(const http::TlsContext& server_context, SSL_CTX& client_context) {
  BIO* server_end = nullptr;
  BIO* client_end = nullptr;
  constexpr std::size_t kRoom = 32768;
  require(::BIO_new_bio_pair(&server_end, kRoom, &client_end, kRoom), "BIO_new_bio_pair");
  const crypto::SslPtr client(require(::SSL_new(&client_context), "SSL_new"));
  ::SSL_set_bio(client.get(), client_end, client_end);
  double cpu = -thread_cpu_us();
  crypto::SslPtr server = server_context.new_connection();
  ::SSL_set_bio(server.get(), server_end, server_end);
  cpu += thread_cpu_us();
  bool done = false;
  for (int round = 0; !done && round < 8; ++round) {
    const bool client_done = ::SSL_connect(client.get()) == 1;
    const double before = thread_cpu_us();
    done = ::SSL_accept(server.get()) == 1 && client_done;
    cpu += thread_cpu_us() - before;
  }
  if (!done) {
    throw std::runtime_error("the handshake does not end: " + crypto::drain_errors());
  }
  cpu -= thread_cpu_us();
  server.reset();
  return cpu + thread_cpu_us();
}

/// A certificate for end entity `number`, as Enrollment would record it.
ca::Intent intent_of(std::uint64_t number, const Bytes& tbs, Instant now) {
  const std::string name = "device-" + std::to_string(number);
  ca::Intent intent;
  intent.serial = ca::random_serial();
  intent.ca = "issuing";
  intent.tbs = tbs;
  intent.alias = "est";
  intent.operation = "simpleenroll";
  intent.profile = "device";
  intent.config_version = 1;
  intent.who = "account est/ra";
  intent.username = name;
  intent.subject = Bytes(name.begin(), name.end());
  intent.subject_text = "CN=" + name;
  intent.key_fingerprint = Bytes(intent.serial.begin(), intent.serial.end());
  intent.key_fingerprint.resize(32);
  intent.retry_key = intent.key_fingerprint;
  intent.retry_window = std::chrono::seconds(120);
  intent.not_before = now;
  intent.not_after = now + std::chrono::hours(24 * 365);
  return intent;
}

ca::AuditEvent event(const char* what, const Bytes& serial, Instant now) {
  return {.at = now,
          .who = "account est/ra",
          .what = what,
          .outcome = "ok",
          .object = to_hex(serial),
          .detail = {}};
}

void record(ca::Registry& registry, const ca::Intent& intent, Instant now) {
  const auto outcome = registry.intend(intent, event("certificate.intent", intent.serial, now));
  if (!std::holds_alternative<ca::Recorded>(outcome)) {
    throw std::runtime_error("the store refused an intent");
  }
  // As long as the certificate is: the TBS, algorithm and an ECDSA signature.
  Bytes certificate = intent.tbs;
  certificate.resize(certificate.size() + 90);
  static_cast<void>(
      registry.commit(intent.serial, certificate, event("certificate.issued", intent.serial, now)));
}

double measure_sign(const crypto::PrivateKey& token_key, ByteView tbs, std::size_t count) {
  return cpu_us_of(count, [&](std::size_t) { static_cast<void>(token_key.sign(tbs)); });
}

double measure_verify(const crypto::PrivateKey& token_key, ByteView tbs, std::size_t count) {
  const crypto::PublicKey& key = token_key.public_key();
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key);
  const Bytes signature = token_key.sign(tbs, algorithm);
  return cpu_us_of(count, [&](std::size_t) {
    if (!key.verify(tbs, signature, algorithm)) {
      throw std::runtime_error("the token's signature does not verify");
    }
  });
}

}  // namespace

double measure_handshake(const http::TlsIdentity& server, const http::TlsIdentity* client,
                         std::size_t count) {
  const http::TlsContext server_context(server, http::Resumption::off);
  test::TlsOffer offer;
  offer.version = TLS1_3_VERSION;
  offer.identity = client;
  const crypto::SslCtxPtr client_context = test::make_client_context(offer);
  std::vector<double> each;
  for (std::size_t i = 0; i < count; ++i) {
    each.push_back(shake_hands(server_context, *client_context));
  }
  std::sort(each.begin(), each.end());
  return quantile(each, 0.5);
}

double measure_csr(const std::vector<Bytes>& csrs) {
  return cpu_us_of(csrs.size(),
                   [&](std::size_t i) { crypto::Csr::parse(csrs[i]).verify_signature(); });
}

double measure_parse(const std::vector<Bytes>& csrs) {
  return cpu_us_of(csrs.size(),
                   [&](std::size_t i) { static_cast<void>(crypto::Csr::parse(csrs[i])); });
}

void measure_signature(const hsm::TokenConfig& token, const crypto::Certificate& issuing,
                       std::size_t count, Parts& parts) {
  const auto open = hsm::Token::open(token);
  const crypto::PrivateKey key = open->generate(issuing.public_key().spec().value(), "bench");
  parts.sign = measure_sign(key, issuing.tbs(), count);
  parts.verify = measure_verify(key, issuing.tbs(), count);
}

StoreSpeed measure_store(const std::filesystem::path& folder, std::size_t writers,
                         std::size_t count, const Bytes& tbs) {
  const SystemClock clock;
  const auto store =
      store::Store::create(folder / ("store-" + std::to_string(writers) + ".db"), "bench", clock);
  const std::size_t each = std::max<std::size_t>(1, count / writers);
  const Instant now = clock.now();
  const store::StoreStats stats = store->stats();
  std::latch start(static_cast<std::ptrdiff_t>(writers) + 1);
  std::vector<std::future<void>> threads;
  for (std::size_t writer = 0; writer < writers; ++writer) {
    std::vector<ca::Intent> intents;
    for (std::size_t i = 0; i < each; ++i) {
      intents.push_back(intent_of(writer * each + i, tbs, now));
    }
    threads.push_back(std::async(std::launch::async, [&, intents = std::move(intents)] {
      start.arrive_and_wait();
      for (const ca::Intent& intent : intents) {
        record(store->registry(), intent, now);
      }
    }));
  }
  start.arrive_and_wait();
  const double cpu = process_cpu_us();
  const double wall = wall_us();
  for (std::future<void>& thread : threads) {
    thread.get();
  }
  const auto certificates = static_cast<double>(each * writers);
  return {.cpu_us = (process_cpu_us() - cpu) / certificates,
          .per_second = certificates / (wall_us() - wall) * 1e6,
          .syncs = static_cast<double>(store->stats().commits - stats.commits) / certificates};
}

}  // namespace estia::bench
