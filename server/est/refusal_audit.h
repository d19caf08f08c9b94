// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "server/ca/audit.h"

namespace estia::est {

/// Refused requests in the audit trail, within a budget that no client can widen: the first of its
/// kind (who, alias, operation, id) is written at once, what repeats it within a minute is counted
/// and written as one row afterwards. Of who has proven nothing only the kinds there are can be
/// written; of others at most 1,000 kinds a minute, and the rest as one. Any thread.
class RefusalAudit final {
 public:
  /// Both outlive this object.
  RefusalAudit(ca::AuditLog& log, const Clock& clock) : log_(log), clock_(clock) {}

  struct Refused {
    std::string who{};  ///< empty: nobody proved anything
    std::string alias{};
    std::string operation{};
    std::string request{};  ///< its id in the log; empty before it has one
    std::string address{};  ///< of the peer
  };
  /// Writes nothing for the challenge of a request without credentials, nor for failures of this
  /// server (5xx), which have events of their own. A store that fails is told to the log: the
  /// refusal stands.
  void record(const Refused& refused, const Error& error);

  /// Writes what is still only counted: for the end of the process.
  void flush();

 private:
  struct Kind {
    std::string who{};
    std::string alias{};
    std::string operation{};
    std::string id{};
    auto operator<=>(const Kind&) const = default;
  };
  struct Repeats {
    Instant since{};
    std::uint64_t count = 0;
  };
  [[nodiscard]] ca::AuditEvent event(const Kind& kind, std::string detail) const;
  /// Takes out the kinds whose minute is over at `now`, with a row for each that was repeated.
  void take_over(Instant now, std::vector<ca::AuditEvent>& rows);
  void write(const std::vector<ca::AuditEvent>& rows);

  ca::AuditLog& log_;
  const Clock& clock_;
  std::mutex mutex_;  // guards kinds_ and next_look_
  std::map<Kind, Repeats> kinds_;
  Instant next_look_{};
};

}  // namespace estia::est
