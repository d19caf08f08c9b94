// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>

#include "crypto/base/error.h"
#include "crypto/x509/certificate_builder.h"
#include "server/auth/authenticate.h"
#include "server/auth/password.h"
#include "server/ca/issuer.h"
#include "tests/support/certificates.h"

namespace estia::auth {

using ca::Authenticator;
using ca::Operation;
using crypto::Certificate;
using std::chrono::hours;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return at; }
  Instant at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
};

/// The seam's reading half over a map; the store's own tests cover the real one.
class Records final : public ca::Registry {
 public:
  [[nodiscard]] std::optional<ca::CertificateRecord> find(const Bytes& serial) const override {
    const auto found = records.find(serial);
    return found == records.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] ca::IntentOutcome intend(const ca::Intent&, const ca::AuditEvent&) override {
    return ca::Refused{};
  }
  [[nodiscard]] ca::IntentOutcome rehearse(const ca::Intent&) override { return ca::Refused{}; }
  [[nodiscard]] Bytes commit(const Bytes&, const Bytes&, const ca::AuditEvent&) override {
    return {};
  }
  void fail(const Bytes&, const ca::AuditEvent&) override {}
  [[nodiscard]] std::vector<ca::CertificateRecord> in_force(const ca::InForce&) const override {
    return {};
  }
  [[nodiscard]] std::vector<ca::CertificateRecord> of_end_entity(
      std::string_view /*username*/, std::size_t /*limit*/) const override {
    return {};
  }
  [[nodiscard]] std::vector<ca::CertificateRecord> open_intents() const override { return {}; }
  void revoke(const Bytes&, const ca::Revocation&, const ca::AuditEvent&) override {}
  void release(const Bytes&, const ca::AuditEvent&) override {}

  std::map<Bytes, ca::CertificateRecord> records;
};

/// One registered end entity, "device-7", with one code; the store's own tests cover the real one.
class Entities final : public ca::EndEntityStore {
 public:
  [[nodiscard]] std::optional<ca::EndEntity> find(std::string_view username) const override {
    return ca::username_key(username) == "device-7" ? std::optional(entity) : std::nullopt;
  }
  [[nodiscard]] std::vector<ca::EndEntity> list(std::string_view, std::size_t) const override {
    return {entity};
  }
  void add(const ca::EndEntity&, const ca::AuditEvent&) override {}
  void set_disabled(std::string_view, bool, const ca::AuditEvent&) override {}
  [[nodiscard]] std::vector<ca::EnrollmentCode> codes(std::string_view, Instant) const override {
    return has_code ? std::vector{code} : std::vector<ca::EnrollmentCode>{};
  }
  void set_code(std::string_view, const ca::EnrollmentCode&, const ca::AuditEvent&) override {}
  void remove_codes(std::string_view, const ca::AuditEvent&) override {}

  ca::EndEntity entity{.username = "device-7", .ca = "issuing"};
  bool has_code = true;
  ca::EnrollmentCode code{
      .id = Bytes(16, 7), .hash = hash_generated_secret(Secret("the code")), .uses_left = 1};
};

struct Leaf {
  std::vector<std::string> usages{std::string(crypto::oid::kClientAuth)};
  Bytes serial = ca::random_serial();
  hours age{1};
};

class AuthenticationTest : public testing::Test {
 protected:
  AuthenticationTest() {
    snapshot.cas.emplace("issuing", authority.ca);
    alias.name = "est";
    alias.ca = "issuing";
    alias.authenticators = {Authenticator::client_certificate, Authenticator::basic};
    snapshot.accounts.push_back({"est", "ra", hash_generated_secret(Secret("right"))});
    snapshot.accounts.push_back({"other", "ra2", hash_generated_secret(Secret("right"))});
  }

  [[nodiscard]] Certificate issue(const test::SoftwareCa& issuer, const Leaf& leaf) const {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(issuer.key.public_key());
    const Certificate& parent = issuer.ca.certificate();
    std::vector<crypto::Extension> extensions{
        crypto::subject_key_identifier(key.public_key().key_identifier()),
        crypto::authority_key_identifier(parent.subject_key_identifier())};
    if (!leaf.usages.empty()) {
      extensions.push_back(crypto::extended_key_usage(leaf.usages));
    }
    const Bytes tbs = crypto::build_tbs({.serial = leaf.serial,
                                         .issuer = parent.subject(),
                                         .subject = crypto::Name::from_text("CN=device-1"),
                                         .not_before = clock.at - leaf.age,
                                         .not_after = clock.at + hours(24) - leaf.age,
                                         .public_key = key.public_key(),
                                         .extensions = extensions},
                                        algorithm);
    return crypto::assemble_certificate(tbs, algorithm, issuer.key.sign(tbs, algorithm)).parsed();
  }

  ca::CertificateRecord& record(const Certificate& certificate) {
    ca::CertificateRecord& entry = registry.records[certificate.serial()];
    entry.serial = certificate.serial();
    entry.ca = "issuing";
    entry.username = "device-1";
    entry.state = ca::CertificateState::issued;
    entry.certificate = certificate.der();
    return entry;
  }

  Certificate known(const Leaf& leaf = {}) {
    Certificate certificate = issue(authority, leaf);
    record(certificate);
    return certificate;
  }

  /// Role and who, or the id of the refusal.
  std::string outcome(const std::vector<Certificate>& chain,
                      const std::optional<std::string>& authorization,
                      Operation operation = Operation::simpleenroll) {
    const std::string address = "192.0.2.7";
    try {
      const std::optional<ca::Identity> identity = authentication.authenticate(
          snapshot, alias, operation, Presented{chain, authorization, address});
      if (!identity) {
        return "not yet";
      }
      if (identity->role() == ca::Role::vendor) {
        return "vendor";
      }
      return identity->role() == ca::Role::ra ? "ra " + identity->who().substr(0, 11)
                                              : "self " + identity->record()->username;
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + " " + error.id();
    }
  }

  static std::string basic(const std::string& user_pass) {
    return "Basic " + base64_encode(as_bytes(user_pass));
  }

  test::SoftwareCa authority = test::make_software_ca();
  FixedClock clock;
  Records registry;
  ca::Snapshot snapshot;
  ca::Alias alias;
  Entities entities;
  Authentication authentication{registry, entities, clock};
};

}  // namespace estia::auth
