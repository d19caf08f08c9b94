// SPDX-License-Identifier: Apache-2.0
#include "bench/timing.h"

#include <array>
#include <chrono>
#include <functional>
#include <ostream>
#include <random>
#include <stdexcept>

#include "bench/scale.h"
#include "bench/site.h"
#include "bench/welch.h"
#include "server/auth/password.h"
#include "server/auth/password_check.h"
#include "tests/support/est_request.h"
#include "tests/support/tls_client.h"

namespace estia::bench {
namespace {

constexpr double kLimit = 4.5;  // dudect's: beyond it two kinds are told apart
constexpr std::size_t kRequests = 300;
constexpr std::size_t kComparisons = 100000;
constexpr std::size_t kLeast = 20;
constexpr const char* kWrong = "a wrong password, as long as it is";

double nanoseconds(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

/// So many of each kind in an order that is drawn, so that what drifts meets both alike. The same
/// order each time: it is not what is measured.
TwoKinds measure(std::size_t each, const std::function<double(bool first)>& time) {
  TwoKinds times;
  times.first.reserve(each);
  times.second.reserve(each);
  std::mt19937 random(7030);  // NOLINT(cert-msc51-cpp): no secret
  while (times.first.size() < each || times.second.size() < each) {
    const bool first = (random() & 1U) != 0;
    std::vector<double>& kind = first ? times.first : times.second;
    if (kind.size() < each) {
      kind.push_back(time(first));
    }
  }
  return times;
}

void report(const std::string& name, const TwoKinds& times, std::vector<Row>& rows) {
  const Welch found = welch(times);
  rows.push_back({.bench = "timing",
                  .name = name,
                  .value = found.t,
                  .unit = "|t|",
                  .reference = kLimit,
                  .ratio = found.t > 0 ? kLimit / found.t : kLimit,
                  .goal = 1});
  rows.push_back({.bench = "timing", .name = name, .value = found.apart, .unit = "ns apart"});
}

/// Requests for 401 over one connection that stays open. No account fails so often that it has to
/// wait: each fifth of a kind is followed by what ends its failures, or by another user.
class Attempts final {
 public:
  explicit Attempts(const Site& site)
      : account_(site.installation().user()),
        password_(site.installation().password()),
        connection_(site.port()) {}

  double wrong_password() {
    return time(account_, kWrong, known_, [&] { succeed(); });
  }
  double unknown_user() {
    return time(std::string(account_.size(), 'x') + std::to_string(unknown_ / kInARow), kWrong,
                unknown_, [] {});
  }

 private:
  static constexpr std::size_t kInARow = 5;

  double time(const std::string& user, const std::string& password, std::size_t& count,
              const std::function<void()>& after_some) {
    const std::string request = request_of(user, password);
    int status = 0;
    const double taken = nanoseconds([&] { status = exchange(request); });
    if (status != 401) {
      throw std::runtime_error("answered " + std::to_string(status) + " instead of 401");
    }
    if (++count % kInARow == 0) {
      after_some();
    }
    return taken;
  }
  void succeed() {
    if (exchange(request_of(account_, password_)) != 400) {
      throw std::runtime_error("the account's own password was not taken");
    }
  }
  int exchange(const std::string& request) {
    connection_.send(request);
    return connection_.read_answer().status;
  }
  /// With a body that is no request: 400 once the password is right.
  [[nodiscard]] static std::string request_of(const std::string& user,
                                              const std::string& password) {
    return test::est_request("simpleenroll", Bytes{0x30, 0x00},
                             test::basic_authorization(user + ":" + password));
  }

  const std::string account_;
  const std::string password_;
  test::TlsClient connection_;
  std::size_t known_ = 0;
  std::size_t unknown_ = 0;
};

TwoKinds over_https(std::size_t each) {
  Site site;
  site.start(0);
  Attempts attempts(site);
  TwoKinds times = measure(each, [&](bool first) {
    return first ? attempts.wrong_password() : attempts.unknown_user();
  });
  site.stop();
  return times;
}

TwoKinds password_checks(std::size_t each) {
  const ca::Account account{"est", "ra", auth::hash_generated_secret(Secret("a generated one"))};
  auth::PasswordCheck check;
  const std::array<const ca::Account*, 2> asked_for{nullptr, &account};
  return measure(each, [&](bool first) {
    const ca::Account* asked = asked_for[static_cast<std::size_t>(first)];
    return nanoseconds(
        [&] { static_cast<void>(check.matches(asked, kWrong, auth::PasswordCheck::Cost::cheap)); });
  });
}

/// Digests that differ in their first byte or in their last one.
TwoKinds comparisons(std::size_t each) {
  const Bytes stored(32, 0x5A);
  constexpr std::array<std::size_t, 2> kWrongByte{31, 0};
  Bytes other = stored;  // in one place: where bytes lie makes a difference of its own
  return measure(each, [&](bool first) {
    other = stored;
    other[kWrongByte[static_cast<std::size_t>(first)]] ^= 1U;
    const auto compare = [&] {
      for (int i = 0; i < 32; ++i) {  // one is as long as the clock's own step
        volatile bool same = equal_constant_time(stored, other);
        static_cast<void>(same);
      }
    };
    compare();  // what was just written is no longer new
    return nanoseconds(compare);
  });
}

}  // namespace

std::vector<Row> bench_timing(double scale, std::ostream& progress) {
  std::vector<Row> rows;
  progress << "comparing digests and passwords" << std::endl;
  report("digest: first or last byte wrong", comparisons(scaled(kComparisons, scale, kLeast)),
         rows);
  report("password check: wrong password or unknown user",
         password_checks(scaled(kComparisons, scale, kLeast)), rows);
  progress << "wrong passwords and unknown users over HTTPS" << std::endl;
  report("HTTPS: wrong password or unknown user", over_https(scaled(kRequests, scale, kLeast)),
         rows);
  return rows;
}

}  // namespace estia::bench
