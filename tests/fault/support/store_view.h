// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/x509/certificate.h"
#include "server/store/store.h"
#include "tests/e2e/support/installation.h"
#include "tests/fault/support/load_log.h"

namespace estia::fault {

/// The store as a stopped daemon left it, beside what the clients have. Opening it verifies the
/// audit chain. The expectations are GoogleTest's.
class StoreView final {
 public:
  explicit StoreView(const e2e::Installation& installation);

  /// Every certificate that a client has is recorded as issued, byte for byte, under a serial of
  /// its own; every recorded one carries a signature of the issuing CA.
  void expect_all_delivered_recorded(const std::vector<Delivered>& delivered) const;
  /// No name has more than one certificate that was not closed as failed.
  void expect_one_certificate_per_name() const;
  /// Every certificate was asked for by a client; whatever has no result was never delivered and
  /// is among the intents that a daemon lists at its start.
  void expect_everything_explained(const LoadLog& log) const;
  [[nodiscard]] std::size_t count(const std::string& state) const;
  /// Names whose certificates are in that state.
  [[nodiscard]] std::set<std::string> names(const std::string& state) const;

 private:
  struct Row {
    std::string serial;  ///< lower-case hexadecimal
    std::string state;
    std::string name;
  };

  SystemClock clock_;
  std::vector<Row> rows_;  ///< of enrolments
  crypto::PublicKey issuer_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace estia::fault
