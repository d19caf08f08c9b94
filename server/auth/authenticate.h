// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "server/auth/back_off.h"
#include "server/ca/enrollment.h"
#include "server/ca/identity.h"
#include "server/ca/model.h"
#include "server/ca/registry.h"

namespace estia::auth {

/// What a request brings to prove who sends it. Borrowed for the time of the call.
struct Presented {
  const std::vector<crypto::Certificate>& chain;  ///< the TLS client's, leaf first; may be empty
  const std::optional<std::string>& authorization;
  const std::string& address;  ///< of the peer, for the back-off
};

/// Turns credentials into exactly one role, or says why not. Any thread.
class Authentication final {
 public:
  Authentication(const ca::Registry& registry, const Clock& clock)
      : registry_(registry), clock_(clock) {}

  /// The alias's authenticators in their order; the first valid credential gives the role. A wrong
  /// password refuses even beside a good certificate. A certificate that gives no role is refused,
  /// except where the alias also accepts Basic: there it counts as absent (docs/conformance.md, status
  /// table). simplereenroll takes the client certificate only, whatever the alias says.
  ///
  /// Throws Error{unauthenticated} only where the alias has Basic, so that the 401 has its
  /// challenge (EST-3.2.3-d), else Error{forbidden}: "auth.required", "auth.wrong_password", those
  /// of identify_certificate; Error{too_many, "auth.back_off"}.
  [[nodiscard]] ca::Identity authenticate(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                          ca::Operation operation, const Presented& presented);

 private:
  [[nodiscard]] ca::Identity by_password(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                         const Presented& presented);
  [[nodiscard]] std::optional<ca::Identity> by_certificate(const ca::Snapshot& snapshot,
                                                           const ca::Alias& alias,
                                                           const Presented& presented,
                                                           bool tolerated) const;

  const ca::Registry& registry_;
  const Clock& clock_;
  BackOff back_off_;
};

}  // namespace estia::auth
