// SPDX-License-Identifier: Apache-2.0
#include "bench/hsm.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>
#include <set>

#include "bench/hsm_rows.h"
#include "bench/scale.h"
#include "bench/signing_tokens.h"
#include "bench/turns.h"
#include "crypto/base/error.h"

namespace estia::bench {
namespace {

constexpr std::size_t kRounds = 13;
constexpr std::size_t kTurnMs = 100;
constexpr std::array<std::size_t, 4> kThreads{1, 2, 4, 16};
constexpr std::size_t kMostThreads = kThreads.back();
constexpr std::size_t kFewObjects = 10;
constexpr std::size_t kManyObjects = 1000;
constexpr std::array<std::size_t, 2> kThreadsWithMany{1, 4};
constexpr const char* kKindWithMany = "P-256";

struct Delay {
  const char* name;
  const char* order;
};
constexpr std::array<Delay, 2> kDelays{
    {{"1 ms in C_Sign", "delay C_Sign 1"}, {"1 ms in every call", "delay * 1"}}};
const std::set<std::string> kDelayedKinds{"P-256", "RSA-2048"};

std::vector<std::string> usual_kinds() {
  return {"P-256", "P-384", "RSA-2048", "RSA-3072", "Ed25519"};
}

class HsmBench final {
 public:
  HsmBench(std::vector<std::string> kinds, double scale, std::ostream& progress)
      : turns_{.rounds = scaled(kRounds, scale, 3),
               .turn_us = 1000.0 * static_cast<double>(scaled(kTurnMs, std::min(1.0, scale), 3))},
        objects_(scaled(kManyObjects, std::min(1.0, scale), 2 * kFewObjects)),
        progress_(progress),
        few_(tokens_.few(), kMostThreads) {
    make_keys(kinds);
  }

  [[nodiscard]] std::vector<Row> run() {
    for (const std::string& kind : kinds_) {
      compare_threads(kind);
    }
    compare_objects();
    compare_delays();
    return std::move(rows_);
  }

 private:
  void make_keys(const std::vector<std::string>& kinds);
  void compare_threads(const std::string& kind);
  void compare_objects();
  void compare_delays();
  void count_calls(const std::string& kind, const SigningKey& signing, FaultOrders& orders);
  void compare_delayed(const std::string& kind, const SigningKey& signing, const Delay& delay);

  const Turns turns_;
  const std::size_t objects_;
  std::ostream& progress_;
  const SigningTokens tokens_;
  const OpenToken few_;
  std::vector<std::string> kinds_;  // that the token can make; labels of the keys as well
  std::vector<Row> rows_;
};

/// A token without a kind of key has a row that says so.
void HsmBench::make_keys(const std::vector<std::string>& kinds) {
  progress_ << "making the keys" << std::endl;
  for (const std::string& kind : kinds) {
    try {
      static_cast<void>(few_.token->generate(crypto::KeySpec::parse(kind), kind));
      kinds_.push_back(kind);
    } catch (const Error& error) {
      add_impossible_row(kind, std::string(error.id()) + " " + error.detail(), rows_);
    }
  }
}

void HsmBench::compare_threads(const std::string& kind) {
  const SigningKey signing(few_, kind);
  const auto software = crypto::PrivateKey::generate_software(crypto::KeySpec::parse(kind));
  for (const std::size_t threads : kThreads) {
    const std::string name = with_threads(kind, threads);
    progress_ << "hsm: " << name << ", by turns with bare calls and a software key" << std::endl;
    const std::vector<Pace> paces = by_turns(
        {sign_with(signing.key, threads, Verified::no), signing.bare.sign(threads, Verified::no),
         sign_with(software, threads, Verified::no), sign_with(signing.key, threads, Verified::yes),
         signing.bare.sign(threads, Verified::yes)},
        turns_);
    add_bare_rows(name, kind, paces[0], paces[1], rows_);
    add_row(name, "signatures/s, beside software", {paces[0], paces[2]}, {}, rows_);
    add_row(name, "signed and verified/s", {paces[3], paces[4]}, {}, rows_);
  }
}

void HsmBench::compare_objects() {
  if (std::ranges::find(kinds_, kKindWithMany) == kinds_.end()) {
    return;
  }
  const std::string many_name = std::to_string(objects_) + " objects";
  progress_ << "hsm: filling a token with " << many_name << std::endl;
  const OpenToken many(tokens_.many(), kMostThreads);
  static_cast<void>(many.token->generate(crypto::KeySpec::parse(kKindWithMany), kKindWithMany));
  fill(many, objects_);
  const SigningKey among_few(few_, kKindWithMany);
  const SigningKey among_many(many, kKindWithMany);
  const BareSigner object_few(few_.bare, kKindWithMany, among_few.key.public_key(),
                              BareSigner::Object::key);
  const BareSigner object_many(many.bare, kKindWithMany, among_many.key.public_key(),
                               BareSigner::Object::key);
  for (const std::size_t threads : kThreadsWithMany) {
    const std::string name = with_threads(kKindWithMany, threads) + ", " + many_name;
    progress_ << "hsm: " << name << ", by turns with few" << std::endl;
    const std::vector<Pace> paces =
        by_turns({sign_with(among_many.key, threads, Verified::no),
                  sign_with(among_few.key, threads, Verified::no),
                  object_many.sign(threads, Verified::no), object_few.sign(threads, Verified::no)},
                 turns_);
    add_objects_rows(name, {paces[0], paces[1]}, rows_);
    add_row("bare, no session copy: " + name, kRateUnit, {paces[2], paces[3]}, {}, rows_);
  }
}

void HsmBench::compare_delays() {
  const OpenToken delayed(tokens_.delayed(), kMostThreads);
  FaultOrders orders(tokens_.orders());
  for (const std::string& kind : kinds_) {
    if (!kDelayedKinds.contains(kind)) {
      continue;
    }
    const SigningKey signing(delayed, kind);
    count_calls(kind, signing, orders);
    for (const Delay& delay : kDelays) {
      orders.order(delay.order);
      compare_delayed(kind, signing, delay);
      orders.order("clear");
    }
  }
}

void HsmBench::count_calls(const std::string& kind, const SigningKey& signing,
                           FaultOrders& orders) {
  constexpr int kSignatures = 100;
  const auto calls_of = [&](const Way& way) {
    const Way::Operation operation = way.begin(0);
    operation();
    const double before = orders.calls();
    for (int i = 0; i < kSignatures; ++i) {
      operation();
    }
    return (orders.calls() - before) / kSignatures;
  };
  add_calls_row(kind, calls_of(sign_with(signing.key, 1, Verified::no)),
                calls_of(signing.bare.sign(1, Verified::no)), rows_);
}

void HsmBench::compare_delayed(const std::string& kind, const SigningKey& signing,
                               const Delay& delay) {
  const auto name = [&](std::size_t threads) {
    return with_threads(kind, threads) + ", " + delay.name;
  };
  progress_ << "hsm: " << kind << ", " << delay.name << std::endl;
  const std::vector<Pace> paces =
      by_turns({sign_with(signing.key, 1, Verified::no), signing.bare.sign(1, Verified::no),
                sign_with(signing.key, kMostThreads, Verified::no),
                signing.bare.sign(kMostThreads, Verified::no)},
               turns_);
  add_bare_rows(name(1), kind, paces[0], paces[1], rows_);
  add_bare_rows(name(kMostThreads), kind, paces[2], paces[3], rows_);
  add_crowd_rows(name(kMostThreads), {paces[2], paces[0]}, {paces[3], paces[1]}, rows_);
}

}  // namespace

std::vector<Row> bench_hsm(const std::vector<std::string>& kinds, double scale,
                           std::ostream& progress) {
  return HsmBench(kinds.empty() ? usual_kinds() : kinds, scale, progress).run();
}

}  // namespace estia::bench
