// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/store/enrollment_fixture.h"
#include "tests/support/new_names_request.h"

namespace estia::store::test {

/// Can be set.
class SetClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  Instant at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
};

/// What a request got, parsed.
struct Got {
  crypto::Certificate certificate;
  ca::Kind kind;
};

/// Renewals as they come in: authenticated and authorised at a time that the test sets.
class RenewalTest : public EnrollmentTest {
 protected:
  RenewalTest() { alias_.retry_window = std::chrono::seconds(0); }

  Got request(const crypto::Certificate& client, ca::Operation operation, const Bytes& csr) {
    const std::string address = "192.0.2.7";
    const std::vector<crypto::Certificate> chain{client};
    const auto identity = now_authentication_.authenticate(snapshot_, alias_, operation,
                                                           {chain, std::nullopt, address});
    const ca::Enrolled enrolled = now_enrollment_.enroll(snapshot_, alias_, identity.value(),
                                                         operation, crypto::Csr::parse(csr));
    return {enrolled.certificate.parsed(), enrolled.kind};
  }
  Got renew(const crypto::Certificate& client, const Bytes& csr) {
    return request(client, ca::Operation::simplereenroll, csr);
  }
  /// The id of what refuses it, "" if nothing does.
  std::string refusal(const crypto::Certificate& client, const Bytes& csr,
                      ca::Operation operation = ca::Operation::simplereenroll) {
    return error_id([&] { static_cast<void>(request(client, operation, csr)); });
  }
  static Bytes csr_for(const std::string& subject, const std::vector<std::string>& sans = {}) {
    return estia::test::make_csr_der(new_key(), subject, sans);
  }
  void revoke(const crypto::Certificate& certificate, int reason) {
    store_->registry().revoke(certificate.serial(), {.at = now_.at, .reason = reason},
                              event("certificate.revoked", certificate.serial()));
  }
  /// A certificate that is a registration authority on this alias.
  crypto::Certificate listed_ra() {
    const auto certificate = as_ra(new_key(), "CN=device-ra");
    alias_.ra_certificates = {{.sha256 = certificate.fingerprint_sha256()}};
    return certificate;
  }
  /// CN=device-1 has a certificate that is due, and the strictest of rules for who renews it on its
  /// behalf; the next certificate is not due for a year.
  void make_due_on_behalf() {
    auto& profile = snapshot_.certificate_profiles.at("device");
    profile.validity = std::chrono::hours(10);
    static_cast<void>(as_ra(new_key(), "CN=device-1"));
    profile.validity = std::chrono::hours(24 * 365);
    alias_.allow_renewal_on_behalf = true;
    alias_.allow_same_key = false;
    alias_.renewal_window = std::chrono::hours(24);
    alias_.retry_window = std::chrono::minutes(2);
  }
  std::string last_audit(const std::string& what) {
    return sql_text(path(), "SELECT detail FROM audit WHERE what = '" + what +
                                "' ORDER BY sequence DESC LIMIT 1");
  }

  SetClock now_;
  ca::Enrollment now_enrollment_{issuer_, store_->end_entities(), keys_, server_keys_, now_};
  auth::Authentication now_authentication_{store_->registry(), store_->end_entities(), now_};
};

}  // namespace estia::store::test
