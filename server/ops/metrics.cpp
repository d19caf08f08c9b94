// SPDX-License-Identifier: Apache-2.0
#include "server/ops/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

namespace estia::ops {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

/// Seconds: an enrolment takes milliseconds, a network HSM tens of them, an RSA key seconds.
const Histogram::BucketBoundaries kTimes{.001, .0025, .005, .01, .025, .05, .1,
                                         .25,  .5,    1,    2.5, 5,    10,  30};

}  // namespace

class Metrics::Parts final {
 public:
  prometheus::Registry registry;
  Family<Counter>& requests = prometheus::BuildCounter()
                                  .Name("estia_requests_total")
                                  .Help("Answers, by operation, status and refusal")
                                  .Register(registry);
  Family<Histogram>& times = prometheus::BuildHistogram()
                                 .Name("estia_request_seconds")
                                 .Help("From a request's last byte to its answer's")
                                 .Register(registry);
  Family<Counter>& handshakes = prometheus::BuildCounter()
                                    .Name("estia_tls_handshakes_total")
                                    .Help("TLS handshakes, by result")
                                    .Register(registry);
  Family<Counter>& turned_away = prometheus::BuildCounter()
                                     .Name("estia_connections_refused_total")
                                     .Help("Clients that were not admitted, by reason")
                                     .Register(registry);
  std::mutex mutex;  // guards what follows
  std::map<std::string, Family<Gauge>*> gauges;
  std::map<std::string, Family<Counter>*> totals;
  std::map<std::string, Family<Histogram>*> histograms;
  struct Observed {
    std::vector<std::uint64_t> counts;
    double sum = 0;
  };
  std::map<const Histogram*, Observed> observed;
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {}

Metrics::~Metrics() = default;

void Metrics::answered(std::string_view route, int status, std::string_view refusal,
                       std::chrono::steady_clock::duration time) noexcept {
  try {
    const std::string operation(route.empty() ? "none" : route);
    parts_->requests
        .Add({{"operation", operation},
              {"status", std::to_string(status)},
              {"refusal", std::string(refusal)}})
        .Increment();
    parts_->times.Add({{"operation", operation}}, kTimes)
        .Observe(std::chrono::duration<double>(time).count());
  } catch (const std::exception&) {
    // No memory to count it.
  }
}

void Metrics::handshake(bool succeeded) noexcept {
  try {
    parts_->handshakes.Add({{"result", succeeded ? "ok" : "failed"}}).Increment();
  } catch (const std::exception&) {
  }
}

void Metrics::turned_away(std::string_view why) noexcept {
  try {
    parts_->turned_away.Add({{"reason", std::string(why)}}).Increment();
  } catch (const std::exception&) {
  }
}

void Metrics::set(const std::string& name, const std::string& help, double value,
                  const Labels& labels) {
  const std::lock_guard lock(parts_->mutex);
  Family<Gauge>*& family = parts_->gauges[name];
  if (family == nullptr) {
    family = &prometheus::BuildGauge().Name(name).Help(help).Register(parts_->registry);
  }
  family->Add(labels).Set(value);
}

void Metrics::set_total(const std::string& name, const std::string& help, double total,
                        const Labels& labels) {
  const std::lock_guard lock(parts_->mutex);
  Family<Counter>*& family = parts_->totals[name];
  if (family == nullptr) {
    family = &prometheus::BuildCounter().Name(name).Help(help).Register(parts_->registry);
  }
  Counter& counter = family->Add(labels);
  if (total > counter.Value()) {
    counter.Increment(total - counter.Value());
  }
}

/// The library takes what is new only.
void Metrics::set_histogram(const std::string& name, const std::string& help,
                            const std::vector<double>& bounds,
                            const std::vector<std::uint64_t>& counts, double sum,
                            const Labels& labels) {
  const std::lock_guard lock(parts_->mutex);
  Family<Histogram>*& family = parts_->histograms[name];
  if (family == nullptr) {
    family = &prometheus::BuildHistogram().Name(name).Help(help).Register(parts_->registry);
  }
  Histogram& histogram = family->Add(labels, Histogram::BucketBoundaries(bounds));
  Parts::Observed& before = parts_->observed[&histogram];
  before.counts.resize(counts.size());
  std::vector<double> added(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    added[i] = static_cast<double>(counts[i] - before.counts[i]);
  }
  histogram.ObserveMultiple(added, sum - before.sum);
  before = {counts, sum};
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(parts_->registry.Collect());
}

}  // namespace estia::ops
