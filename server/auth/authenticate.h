// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/error.h"
#include "crypto/x509/csr.h"
#include "server/auth/back_off.h"
#include "server/auth/basic.h"
#include "server/auth/password_check.h"
#include "server/ca/authorisation.h"
#include "server/ca/end_entity.h"
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

/// The id of the one refusal of unknown users, wrong passwords and spent codes.
inline constexpr const char* kWrongPassword = "auth.wrong_password";

/// Turns credentials into exactly one role, or says why not. Any thread.
class Authentication final : private ca::CredentialCheck {
 public:
  Authentication(const ca::Registry& registry, const ca::EndEntityStore& entities,
                 const Clock& clock)
      : registry_(registry), entities_(entities), clock_(clock) {}

  /// What the connection and the header prove: the alias's authenticators in their order; the first
  /// valid credential gives the role. A wrong password refuses even beside a good certificate. A
  /// certificate that gives no role is refused, except where something else may still give one:
  /// there it counts as absent (docs/conformance.md, status table), and is the detail for the
  /// log when nothing else came. simplereenroll takes the client
  /// certificate only, whatever the alias says, and for the alias's `expired_grace` an expired one.
  /// nullopt where the request's CSR may still hold a code: ask authenticate_by_csr.
  ///
  /// Throws Error{unauthenticated} only where the alias has HTTP authentication, so that the 401
  /// has its challenge (EST-3.2.3-d), else Error{forbidden}: "auth.required",
  /// "auth.wrong_password", those of identify_certificate; Error{too_many, "auth.back_off" |
  /// "auth.password_queue"}.
  [[nodiscard]] std::optional<ca::Identity> authenticate(const ca::Snapshot& snapshot,
                                                         const ca::Alias& alias,
                                                         ca::Operation operation,
                                                         const Presented& presented);

  /// The enrolment code inside a CSR whose signature was verified. Throws like authenticate.
  [[nodiscard]] ca::Identity authenticate_by_csr(const ca::Snapshot& snapshot,
                                                 const ca::Alias& alias, const crypto::Csr& csr,
                                                 const Presented& presented);

  /// The one answer to an unknown user, a wrong password and a spent code: they are never told
  /// apart. `why` is for the log.
  [[nodiscard]] static Error wrong_credentials(const ca::Alias& alias, std::string why);

  /// A code turned out to be spent after it had been accepted: counts like a wrong one. `reason` is
  /// what the request was refused for; the log has its id.
  [[nodiscard]] Error spent_code(const ca::Alias& alias, const ca::Identity& identity,
                                 const std::string& address, const Error& reason);

 private:
  [[nodiscard]] std::optional<ca::Identity> by_header(const ca::Snapshot& snapshot,
                                                      const ca::Alias& alias,
                                                      const Presented& presented);
  [[nodiscard]] ca::Identity by_account(const ca::Snapshot& snapshot, const ca::Alias& alias,
                                        const BasicCredentials& credentials,
                                        const std::string& address);
  [[nodiscard]] ca::Identity by_code(const ca::Alias& alias, const std::string& username,
                                     std::string_view code, const std::string& address);
  [[nodiscard]] std::optional<ca::Identity> by_certificate(const ca::Snapshot& snapshot,
                                                           const ca::Alias& alias,
                                                           const Presented& presented,
                                                           std::optional<Error>* passed_over,
                                                           std::chrono::seconds grace) const;
  [[nodiscard]] std::optional<ca::Identity> by_vendor(const ca::Snapshot& snapshot,
                                                      const ca::Alias& alias,
                                                      const Presented& presented,
                                                      std::optional<Error>* passed_over) const;

  const ca::Registry& registry_;
  const ca::EndEntityStore& entities_;
  const Clock& clock_;
  BackOff back_off_;
  PasswordCheck passwords_;
};

}  // namespace estia::auth
