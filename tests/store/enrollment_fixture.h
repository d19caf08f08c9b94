// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "server/auth/authenticate.h"
#include "server/auth/password.h"
#include "server/ca/enrollment.h"
#include "server/ca/issuer.h"
#include "tests/store/fixture.h"
#include "tests/support/certificates.h"
#include "tests/support/no_server_keys.h"

namespace estia::store::test {

class OneKey final : public ca::CaKeys {
 public:
  explicit OneKey(crypto::PrivateKey key) : key_(std::move(key)) {}
  [[nodiscard]] crypto::PrivateKey key_for(
      const ca::CertificationAuthority& /*ca*/) const override {
    return key_;
  }
  void distrust(const ca::CertificationAuthority& /*ca*/) const noexcept override { ++distrusted; }
  mutable std::atomic<int> distrusted{0};

 private:
  crypto::PrivateKey key_;
};

[[nodiscard]] inline crypto::PrivateKey new_key() {
  return crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
}

/// Authentication, Enrollment and Issuer over the real store. The CA key is a software key here:
/// what the token does is tests/token's matter. Identities come from the real Authentication:
/// nothing else can make one.
class EnrollmentTest : public StoreTest {
 protected:
  EnrollmentTest() {
    snapshot_.version = 1;
    snapshot_.cas.emplace("issuing", authority_.ca);
    snapshot_.end_entity_profiles.emplace("device", estia::test::device_names());
    snapshot_.certificate_profiles.emplace("device", estia::test::device_profile());
    snapshot_.accounts.push_back(
        {"est", "ra", auth::hash_generated_secret(Secret("a generated password"))});
    alias_.name = "est";
    alias_.ca = "issuing";
    alias_.end_entity_profile = "device";
    alias_.certificate_profile = "device";
    alias_.authenticators = {ca::Authenticator::client_certificate, ca::Authenticator::basic};
    alias_.ra_scope = ca::NameScope::parse("CN=device-*,dns=*.acme.example");
  }

  [[nodiscard]] ca::Identity authenticate(const std::vector<crypto::Certificate>& chain,
                                          const std::optional<std::string>& authorization) {
    const std::string address = "192.0.2.7";
    return authentication_
        .authenticate(snapshot_, alias_, ca::Operation::simpleenroll,
                      {chain, authorization, address})
        .value();
  }
  [[nodiscard]] ca::Identity ra() {
    return authenticate({}, "Basic " + base64_encode(as_bytes("ra:a generated password")));
  }
  [[nodiscard]] ca::Identity self(const crypto::Certificate& certificate) {
    return authenticate({certificate}, std::nullopt);
  }

  crypto::Certificate enroll(const ca::Identity& identity, ca::Operation operation,
                             const crypto::PrivateKey& key, const std::string& subject,
                             const std::vector<std::string>& sans = {}) {
    const auto csr = crypto::Csr::parse(estia::test::make_csr_der(key, subject, sans));
    return enrollment_.enroll(snapshot_, alias_, identity, operation, csr).certificate.parsed();
  }
  crypto::Certificate as_ra(const crypto::PrivateKey& key, const std::string& subject,
                            const std::vector<std::string>& sans = {}) {
    return enroll(ra(), ca::Operation::simpleenroll, key, subject, sans);
  }
  /// The id of what refuses it, "" if nothing does.
  std::string ra_refusal(const std::string& subject, const std::vector<std::string>& sans = {}) {
    return error_id([&] { static_cast<void>(as_ra(new_key(), subject, sans)); });
  }

  std::int64_t rows() { return sql_integer(path(), "SELECT count(*) FROM certificate"); }
  std::int64_t entities() { return sql_integer(path(), "SELECT count(*) FROM end_entity"); }
  std::string username_of(const crypto::Certificate& certificate) {
    return store_->registry().find(certificate.serial())->username;
  }

  SystemClock system_clock_;
  estia::test::SoftwareCa authority_ = estia::test::make_software_ca();
  OneKey keys_{authority_.key};
  ca::Snapshot snapshot_;
  ca::Alias alias_;
  std::unique_ptr<Store> store_ = Store::create(path(), "test", system_clock_);
  ca::Issuer issuer_{store_->registry(), system_clock_};
  estia::test::NoServerKeys server_keys_;
  ca::Enrollment enrollment_{issuer_, store_->end_entities(), keys_, server_keys_, system_clock_};
  auth::Authentication authentication_{store_->registry(), store_->end_entities(), system_clock_};
};

}  // namespace estia::store::test
