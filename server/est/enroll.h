// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/auth/authenticate.h"
#include "server/ca/enrollment.h"
#include "server/est/key_delivery.h"
#include "server/est/refusal_audit.h"
#include "server/est/target.h"
#include "server/http/message.h"

namespace estia::est {

/// POST /simpleenroll, /simplereenroll and /serverkeygen: from the complete request to the one
/// certificate (EST-4.2.3-a), with its key where it was made here (EST-4.4.2-a). Checks in the
/// order of the status table: authentication, content type, decoding, the CSR and its proof of
/// possession, a code inside it, linking, how a key is to leave; then ca::Enrollment decides. Any
/// thread.
class Enroll final {
 public:
  /// All of them outlive this object.
  Enroll(auth::Authentication& authentication, ca::Enrollment& enrollment,
         const KeyDelivery& delivery, RefusalAudit& refusals)
      : authentication_(authentication),
        enrollment_(enrollment),
        delivery_(delivery),
        refusals_(refusals) {}

  /// Refusals are answers here: they carry fields that the error itself cannot (the challenge of a
  /// 401, Accept of a 415, the close after a spent channel binding).
  [[nodiscard]] http::Response answer(const Target& target, ca::Operation operation,
                                      const http::Request& request);

 private:
  /// What is known of a request when it is refused.
  struct Progress {
    std::string who{};   ///< once it is proven
    bool close = false;  ///< the connection's channel binding is spent
  };
  [[nodiscard]] http::Response certify(const Target& target, ca::Operation operation,
                                       const http::Request& request, Progress& progress);
  [[nodiscard]] http::Response issue(const Target& target, const ca::Identity& identity,
                                     ca::Operation operation, const crypto::Csr& csr,
                                     const http::Request& request, bool& close);

  auth::Authentication& authentication_;
  ca::Enrollment& enrollment_;
  const KeyDelivery& delivery_;
  RefusalAudit& refusals_;
};

inline constexpr std::string_view kCsrMediaType = "application/pkcs10";

}  // namespace estia::est
