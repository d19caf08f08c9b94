// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/base/der.h"
#include "server/ca/end_entity.h"
#include "server/ca/registry.h"
#include "server/est/target.h"
#include "server/http/message.h"
#include "tests/support/certificates.h"

namespace estia::est {

inline constexpr const char* kChallengePassword = "1.2.840.113549.1.9.7";
inline constexpr const char* kIdentityLinking = "1.2.840.113549.1.9.16.2.58";

/// A PKCS #10 written by hand, so that it can hold attributes of any value; properly signed.
inline Bytes csr_with(const std::vector<Bytes>& attributes) {
  const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  Bytes inner;
  for (const Bytes& attribute : attributes) {
    inner.insert(inner.end(), attribute.begin(), attribute.end());
  }
  const Bytes info =
      der::sequence({der::small_integer(0), crypto::Name::from_text("CN=device-1").der(),
                     key.public_key().spki(), der::tlv(0xA0, inner)});
  return der::sequence(
      {info, algorithm.algorithm_identifier, der::bit_string(key.sign(info, algorithm))});
}

inline Bytes text_attribute(const char* oid, const std::string& text) {
  constexpr std::uint8_t kPrintableString = 0x13;
  return der::sequence({der::oid(oid), der::set_of({der::tlv(kPrintableString, as_bytes(text))})});
}

/// One CA, and the aliases "est" and "factory" on it.
inline std::shared_ptr<ca::Snapshot> make_snapshot(const test::SoftwareCa& authority) {
  auto snapshot = std::make_shared<ca::Snapshot>();
  snapshot->version = 1;
  snapshot->cas.emplace(authority.ca.name, authority.ca);
  snapshot->end_entity_profiles.emplace("device", test::device_names());
  snapshot->certificate_profiles.emplace("device", test::device_profile());
  for (const char* name : {"est", "factory"}) {
    ca::Alias alias;
    alias.name = name;
    alias.ca = authority.ca.name;
    alias.end_entity_profile = "device";
    alias.certificate_profile = "device";
    alias.authenticators = {ca::Authenticator::basic};
    alias.ra_scope = ca::NameScope::parse("CN=device-*");
    snapshot->aliases.emplace(name, alias);
  }
  return snapshot;
}

struct FixedSnapshot final : ca::SnapshotSource {
  [[nodiscard]] std::shared_ptr<const ca::Snapshot> current() const override { return snapshot; }
  std::shared_ptr<const ca::Snapshot> snapshot;
};

/// Without any end entity.
struct NoEndEntities final : ca::EndEntityStore {
  [[nodiscard]] std::optional<ca::EndEntity> find(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::vector<ca::EndEntity> list(std::string_view, std::size_t) const override {
    return {};
  }
  void add(const ca::EndEntity&, const ca::AuditEvent&) override {
    throw std::logic_error("a request registered an end entity");
  }
  void set_disabled(std::string_view, bool, const ca::AuditEvent&) override {
    throw std::logic_error("a request disabled an end entity");
  }
  [[nodiscard]] std::vector<ca::EnrollmentCode> codes(std::string_view, Instant) const override {
    return {};
  }
  void set_code(std::string_view, const ca::EnrollmentCode&, const ca::AuditEvent&) override {
    throw std::logic_error("a request made a code");
  }
  void remove_codes(std::string_view, const ca::AuditEvent&) override {
    throw std::logic_error("a request removed codes");
  }
};

/// What was written to the audit trail.
struct KeptEvents final : ca::AuditLog {
  void append(const ca::AuditEvent& event) override { events.push_back(event); }
  void append(const std::vector<ca::AuditEvent>& more) override {
    if (fails) {
      throw Error(ErrorCode::store, "store.failed", "no");
    }
    events.insert(events.end(), more.begin(), more.end());
  }
  std::vector<ca::AuditEvent> events;
  bool fails = false;
};

/// For requests that must never reach the store: any use of it is a failure.
struct UntouchableRegistry final : ca::Registry {
  [[nodiscard]] ca::IntentOutcome intend(const ca::Intent&, const ca::AuditEvent&) override {
    throw std::logic_error("a refused request was recorded");
  }
  [[nodiscard]] ca::IntentOutcome rehearse(const ca::Intent&) override {
    throw std::logic_error("a refused request was recorded");
  }
  [[nodiscard]] Bytes commit(const Bytes&, const Bytes&, const ca::AuditEvent&) override {
    throw std::logic_error("a refused request was committed");
  }
  void fail(const Bytes&, const ca::AuditEvent&) override {
    throw std::logic_error("a refused request was closed");
  }
  [[nodiscard]] std::optional<ca::CertificateRecord> find(const Bytes&) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::vector<ca::CertificateRecord> in_force(const ca::InForce&) const override {
    return {};
  }
  [[nodiscard]] std::vector<ca::CertificateRecord> of_end_entity(std::string_view,
                                                                 std::size_t) const override {
    return {};
  }
  [[nodiscard]] std::vector<ca::CertificateRecord> open_intents() const override { return {}; }
  void revoke(const Bytes&, const ca::Revocation&, const ca::AuditEvent&) override {
    throw std::logic_error("a refused request revoked something");
  }
  void release(const Bytes&, const ca::AuditEvent&) override {
    throw std::logic_error("a refused request released something");
  }
};

}  // namespace estia::est
