// SPDX-License-Identifier: Apache-2.0
// What `estia init` leaves behind when the ceremony fails at each of its steps: real token, real
// store, one seam that gives way.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "admin/offline/token_ceremony.h"
#include "crypto/base/error.h"
#include "server/provision/initialise.h"
#include "server/store/store.h"
#include "tests/support/refusal.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

/// Counts what the ceremony asks of its seams, and fails the n-th time.
class Countdown final {
 public:
  explicit Countdown(unsigned fails_at) : fails_at_(fails_at) {}
  void step() {
    if (++steps_ == fails_at_) {
      throw Error(ErrorCode::store, "test.fault", "fault");
    }
  }
  [[nodiscard]] unsigned steps() const noexcept { return steps_; }

 private:
  unsigned fails_at_;
  unsigned steps_ = 0;
};

class FaultyCeremony final : public provision::KeyCeremony {
 public:
  FaultyCeremony(provision::KeyCeremony& real, Countdown& countdown)
      : real_(real), countdown_(countdown) {}
  crypto::PrivateKey make(const crypto::KeySpec& spec, const std::string& label) override {
    countdown_.step();
    return real_.make(spec, label);
  }
  std::string uri(const std::string& label) override {
    countdown_.step();
    return real_.uri(label);
  }
  void destroy(const std::string& label) noexcept override { real_.destroy(label); }

 private:
  provision::KeyCeremony& real_;
  Countdown& countdown_;
};

class FaultyRegistry final : public ca::Registry {
 public:
  FaultyRegistry(ca::Registry& real, Countdown& countdown) : real_(real), countdown_(countdown) {}
  ca::IntentOutcome intend(const ca::Intent& intent, const ca::AuditEvent& audit) override {
    countdown_.step();
    return real_.intend(intent, audit);
  }
  ca::IntentOutcome rehearse(const ca::Intent& intent) override { return real_.rehearse(intent); }
  Bytes commit(const Bytes& serial, const Bytes& certificate,
               const ca::AuditEvent& audit) override {
    countdown_.step();
    return real_.commit(serial, certificate, audit);
  }
  void fail(const Bytes& serial, const ca::AuditEvent& audit) override {
    real_.fail(serial, audit);
  }
  std::optional<ca::CertificateRecord> find(const Bytes& serial) const override {
    return real_.find(serial);
  }
  std::vector<ca::CertificateRecord> in_force(const ca::InForce& wanted) const override {
    return real_.in_force(wanted);
  }
  std::vector<ca::CertificateRecord> of_end_entity(std::string_view username,
                                                   std::size_t limit) const override {
    return real_.of_end_entity(username, limit);
  }
  std::vector<ca::CertificateRecord> open_intents() const override { return real_.open_intents(); }
  void revoke(const Bytes& serial, const ca::Revocation& revocation,
              const ca::AuditEvent& audit) override {
    real_.revoke(serial, revocation, audit);
  }
  void release(const Bytes& serial, const ca::AuditEvent& audit) override {
    real_.release(serial, audit);
  }

 private:
  ca::Registry& real_;
  Countdown& countdown_;
};

class FaultyAuditLog final : public ca::AuditLog {
 public:
  FaultyAuditLog(ca::AuditLog& real, Countdown& countdown) : real_(real), countdown_(countdown) {}
  void append(const ca::AuditEvent& event) override {
    countdown_.step();
    real_.append(event);
  }
  void append(const std::vector<ca::AuditEvent>& events) override { real_.append(events); }

 private:
  ca::AuditLog& real_;
  Countdown& countdown_;
};

class FaultyConfigurationStore final : public ca::ConfigurationStore {
 public:
  FaultyConfigurationStore(ca::ConfigurationStore& real, Countdown& countdown)
      : real_(real), countdown_(countdown) {}
  std::optional<ca::StoredConfiguration> load() const override { return real_.load(); }
  std::uint64_t replace(std::uint64_t replaces, const std::string& document,
                        const std::vector<ca::Account>& accounts,
                        const std::vector<std::string>& aliases,
                        const ca::AuditEvent& audit) override {
    countdown_.step();
    return real_.replace(replaces, document, accounts, aliases, audit);
  }
  void set_crl(const ca::StoredCrl& crl, const ca::AuditEvent& audit) override {
    real_.set_crl(crl, audit);
  }

 private:
  ca::ConfigurationStore& real_;
  Countdown& countdown_;
};

class InitialiseFaults : public ::testing::Test {
 protected:
  InitialiseFaults() {
    EXPECT_EQ(place_.token_init(Workplace::kLabel).code, 0);
    place_.use();
    token_ = hsm::Token::open({.module = place_.module(),
                               .init_args = {},
                               .label = Workplace::kLabel,
                               .serial = {},
                               .pin = {.file = place_.path("pin")}});
    plan_.issuing_key = plan_.root_key = crypto::KeySpec::parse("P-256");
    plan_.ra_scope = ca::NameScope::parse("any");
    plan_.server_names = crypto::GeneralNames::from_texts({"dns:localhost"});
    plan_.who = "test";
  }

  /// One whole ceremony over a store of its own; `keep` as the command does at its end.
  void ceremony(Countdown& countdown, bool keep) {
    admin::TokenCeremony real(token_);
    FaultyCeremony ceremony(real, countdown);
    provision::KeysInTheMaking keys(ceremony);
    const auto store = store::Store::create(
        place_.path("estia-" + std::to_string(++stores_) + ".db"), "test", clock_);
    FaultyRegistry registry(store->registry(), countdown);
    FaultyAuditLog audit(store->audit_log(), countdown);
    FaultyConfigurationStore configuration(store->configuration(), countdown);
    static_cast<void>(provision::initialise(
        plan_, keys,
        {.registry = registry, .configuration = configuration, .audit = audit, .clock = clock_}));
    if (keep) {
      keys.keep();
    }
  }

  Workplace place_;
  std::shared_ptr<hsm::Token> token_;
  SystemClock clock_;
  provision::InitialisePlan plan_;
  unsigned stores_ = 0;
};

TEST_F(InitialiseFaults, NoKeyStaysWhicheverStepFails) {
  Countdown none(0);
  ceremony(none, true);
  const std::size_t kept = place_.object_count();
  EXPECT_GE(kept, 2U);
  ASSERT_GE(none.steps(), 13U);  // 2 keys, 2 URIs, 3 x intent and commit, 2 x audit, configuration
  for (unsigned step = 1; step <= none.steps(); ++step) {
    Countdown countdown(step);
    EXPECT_EQ(refusal([&] { ceremony(countdown, true); }), "store test.fault") << step;
    EXPECT_EQ(place_.object_count(), kept) << "after a fault at step " << step;
  }
}

TEST_F(InitialiseFaults, KeysGoUnlessTheyAreKept) {
  Countdown none(0);
  ceremony(none, false);  // as when a file could not be written afterwards
  EXPECT_EQ(place_.object_count(), 0U);
}

TEST_F(InitialiseFaults, RefusesAPlanWithoutScopeOrNames) {
  Countdown none(0);
  plan_.ra_scope = {};
  EXPECT_EQ(refusal([&] { ceremony(none, true); }), "config config.scope_missing");
  plan_.ra_scope = ca::NameScope::parse("any");
  plan_.server_names = {};
  EXPECT_EQ(refusal([&] { ceremony(none, true); }), "config init.server_names");
  EXPECT_EQ(place_.object_count(), 0U);
}

}  // namespace
}  // namespace estia::test
