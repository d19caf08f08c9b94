// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace estia::ops {

/// What this process counts, for Prometheus. No label comes from a client: each is a text of the
/// program's own, or a name from its configuration. Any thread.
class Metrics final {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  Metrics(Metrics&&) = delete;
  Metrics& operator=(Metrics&&) = delete;

  /// One answer: of which operation, with which status, refused by which id of docs/messages.md
  /// (empty: not refused), and how long it took from the request's last byte to the answer's.
  void answered(std::string_view route, int status, std::string_view refusal,
                std::chrono::steady_clock::duration time) noexcept;
  void handshake(bool succeeded) noexcept;
  /// A client that was not admitted, and why.
  void turned_away(std::string_view why) noexcept;

  using Labels = std::map<std::string, std::string>;
  /// What is looked at when somebody asks: a value, or a total that somebody else counts and that
  /// only grows.
  void set(const std::string& name, const std::string& help, double value,
           const Labels& labels = {});
  void set_total(const std::string& name, const std::string& help, double total,
                 const Labels& labels = {});

  /// The same for times that somebody else puts into buckets: their upper bounds, and how many are
  /// in each and above all. The bounds are those of the first time.
  void set_histogram(const std::string& name, const std::string& help,
                     const std::vector<double>& bounds, const std::vector<std::uint64_t>& counts,
                     double sum, const Labels& labels = {});

  /// All of it in Prometheus's text format, version 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace estia::ops
