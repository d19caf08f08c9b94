// SPDX-License-Identifier: Apache-2.0
// Which keys of a real token can be used, and when.
#include "server/app/token_ca_keys.h"

#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "crypto/x509/certificate_builder.h"
#include "server/app/configuration_changes.h"
#include "server/provision/initial_configuration.h"
#include "server/store/store.h"
#include "tests/support/decrypt_keys.h"
#include "tests/support/no_server_keys.h"
#include "tests/support/refusal.h"
#include "tests/support/shim.h"
#include "tests/support/token_fixture.h"

namespace estia::app {
namespace {

using test::refusal;

constexpr std::chrono::seconds kPatience{30};

/// A store that is full when a configuration is to be written.
class FullStore final : public ca::ConfigurationStore {
 public:
  explicit FullStore(ca::ConfigurationStore& real) : real_(real) {}
  [[nodiscard]] std::optional<ca::StoredConfiguration> load() const override {
    return real_.load();
  }
  std::uint64_t replace(std::uint64_t /*replaces*/, const std::string& /*document*/,
                        const std::vector<ca::Account>& /*accounts*/,
                        const std::vector<std::string>& /*aliases*/,
                        const ca::AuditEvent& /*audit*/) override {
    throw Error(ErrorCode::store, "store.full", "the disk is full");
  }
  void set_crl(const ca::StoredCrl& /*crl*/, const ca::AuditEvent& /*audit*/) override {
    throw Error(ErrorCode::store, "store.full", "the disk is full");
  }

 private:
  ca::ConfigurationStore& real_;
};

class TokenCaKeysTest : public testing::Test {
 protected:
  TokenCaKeysTest() {
    ::signal(SIGPIPE, SIG_IGN);  // as the daemon does
    dir_.use();
    token_ = hsm::Token::open(dir_.config());
    old_ = make_ca("old");
    new_ = make_ca("new");
    store_ = store::Store::create(scratch_.path() / "s.db", "test", clock_);
    static_cast<void>(store_->configuration().replace(0, document(old_),
                                                      {{.alias = "est", .user = "ra"}}, {}, {}));
  }

  [[nodiscard]] ca::CertificationAuthority make_ca(const std::string& name) const {
    const crypto::PrivateKey key = token_->generate(crypto::KeySpec::parse("P-256"), name);
    const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
    const auto subject = crypto::Name::from_text("CN=" + name);
    const Bytes tbs = crypto::build_tbs(
        {.serial = {1, 2, 3},
         .issuer = subject,
         .subject = subject,
         .not_before = clock_.now() - std::chrono::hours(1),
         .not_after = clock_.now() + std::chrono::hours(24),
         .public_key = key.public_key(),
         .extensions = {crypto::basic_constraints_ca(0),
                        crypto::subject_key_identifier(key.public_key().key_identifier()),
                        crypto::key_usage({"keyCertSign", "cRLSign"})}},
        algorithm);
    return {
        .name = "issuing",
        .key_uri = token_->uri_of(name).text(),
        .chain = {crypto::assemble_certificate(tbs, algorithm, key.sign(tbs, algorithm)).parsed()}};
  }
  /// `packages`: the alias's line `serverkeygen`.
  [[nodiscard]] static std::string document(const ca::CertificationAuthority& issuing,
                                            const std::string& packages = {}) {
    std::string text = provision::print(
        provision::initial_configuration(issuing, issuing, ca::NameScope::parse("any")));
    const std::string alias = "name = \"est\"\n";
    if (!packages.empty()) {
      text.insert(text.find(alias) + alias.size(), "serverkeygen = " + packages + "\n");
    }
    return text;
  }
  [[nodiscard]] static ca::Snapshot snapshot(const ca::CertificationAuthority& issuing) {
    return provision::parse(document(issuing), "test").contents;
  }
  [[nodiscard]] TokenCaKeys::TokenOf only_token() {
    return [this](const hsm::KeyUri&) -> hsm::Token& { return *token_; };
  }
  [[nodiscard]] static std::string refused(const TokenCaKeys& keys,
                                           const ca::CertificationAuthority& authority) {
    return refusal([&] { static_cast<void>(keys.key_for(authority)); });
  }
  [[nodiscard]] static bool signs(const TokenCaKeys& keys,
                                  const ca::CertificationAuthority& authority) {
    return keys.key_for(authority).public_key() == authority.certificate().public_key();
  }
  [[nodiscard]] provision::ApplyReport apply(ca::ConfigurationStore& store, TokenCaKeys& keys,
                                             const ca::CertificationAuthority& authority,
                                             const std::string& packages = {}) {
    SnapshotHolder holder(std::make_shared<ca::Snapshot>());
    test::NoDecryptKeys decrypt_keys;
    test::OpenSealer sealer;
    test::NoServerKeys server_keys;
    return ConfigurationChanges(store, decrypt_keys, sealer, clock_, keys, server_keys, holder)
        .apply({.document = document(authority, packages), .source = "test"});
  }

  const SystemClock clock_;
  test::ScratchDirectory scratch_;
  test::TokenDir dir_ = test::make_token();
  std::shared_ptr<hsm::Token> token_;
  ca::CertificationAuthority old_;
  ca::CertificationAuthority new_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(TokenCaKeysTest, WhatIsFoundCanBeUsedOnceItIsAdopted) {
  TokenCaKeys keys(only_token(), snapshot(old_), kPatience);
  TokenCaKeys::Found found = keys.find(snapshot(new_));
  EXPECT_EQ(refused(keys, new_), "internal ca_keys.missing");
  keys.adopt(std::move(found));
  EXPECT_TRUE(signs(keys, new_));
  EXPECT_TRUE(signs(keys, old_)) << "requests in flight go on with it";
}

TEST_F(TokenCaKeysTest, AKeyThatIsNotTheCertificatesIsRefused) {
  TokenCaKeys keys(only_token(), snapshot(old_), kPatience);
  ca::CertificationAuthority mixed = new_;
  mixed.key_uri = old_.key_uri;
  EXPECT_EQ(refusal([&] { static_cast<void>(keys.find(snapshot(mixed))); }),
            "config ca_keys.mismatch");
}

/// At the start it keeps its CA offline; of a change it is the end.
TEST_F(TokenCaKeysTest, AKeyThatMustNotBeUsedIsNot) {
  const test::Shim shim(dir_.module);
  hsm::TokenConfig config = dir_.config();
  config.module = test::Shim::path();
  const auto token = hsm::Token::open(config);
  const TokenCaKeys::TokenOf of = [&](const hsm::KeyUri&) -> hsm::Token& { return *token; };
  const auto uses = [&](const TokenCaKeys& keys) {
    return refusal([&] { static_cast<void>(keys.key_for(old_).sign(Bytes{1, 2, 3})); });
  };
  for (const auto& [type, why] :
       {std::pair<CK_ATTRIBUTE_TYPE, std::string>{CKA_EXTRACTABLE, "extractable"},
        {CKA_ALWAYS_AUTHENTICATE, "always_authenticate"}}) {
    shim.flip_attribute(type);
    const TokenCaKeys keys(of, snapshot(old_), kPatience);
    EXPECT_EQ(uses(keys), "token token.key_" + why);
    EXPECT_EQ(refusal([&] { static_cast<void>(keys.find(snapshot(old_))); }),
              "config ca_keys." + why);
    shim.flip_attribute(~0UL);
    while (uses(keys) != "none") {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

/// Found in review: it was an event twice. Of a change it is none: whoever ordered it is told.
TEST_F(TokenCaKeysTest, AKeyThatIsRefusedAtTheStartIsSaidOnce) {
  ca::CertificationAuthority mixed = new_;
  mixed.key_uri = old_.key_uri;
  std::atomic<int> said{0};
  hsm::TokenConfig config = dir_.config();
  config.on_event = [&](const hsm::TokenEvent& event) {
    said += event.what == hsm::TokenEvent::What::key_refused ? 1 : 0;
  };
  const auto token = hsm::Token::open(config);
  const TokenCaKeys keys([&](const hsm::KeyUri&) -> hsm::Token& { return *token; }, snapshot(mixed),
                         kPatience);
  EXPECT_EQ(said, 1);
  EXPECT_EQ(refusal([&] { static_cast<void>(keys.find(snapshot(mixed))); }),
            "config ca_keys.mismatch");
  EXPECT_EQ(said, 1);
}

/// Found in review: after a change each key was reported twice.
TEST_F(TokenCaKeysTest, AKeyThatIsFoundAgainIsHeldOnce) {
  TokenCaKeys keys(only_token(), snapshot(old_), kPatience);
  keys.adopt(keys.find(snapshot(old_)));
  while (!keys.idle()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(token_->keys().size(), 1U);
}

/// Found in review: the key of a CA that was taken out was reported, and missed, until a restart.
TEST_F(TokenCaKeysTest, AKeyGoesWithTheLastRequestThatMayNeedIt) {
  TokenCaKeys keys(only_token(), snapshot(old_), kPatience);
  SnapshotHolder holder(std::make_shared<ca::Snapshot>(snapshot(old_)));
  test::NoDecryptKeys decrypt_keys;
  test::OpenSealer sealer;
  test::NoServerKeys server_keys;
  ConfigurationChanges changes(store_->configuration(), decrypt_keys, sealer, clock_, keys,
                               server_keys, holder);
  std::shared_ptr<const ca::Snapshot> in_flight = holder.current();
  static_cast<void>(changes.apply({.document = document(new_), .source = "test"}));
  changes.let_go_of_keys();
  EXPECT_TRUE(signs(keys, old_));
  EXPECT_EQ(token_->keys().size(), 2U);
  in_flight.reset();
  changes.let_go_of_keys();
  while (!keys.idle()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_EQ(refused(keys, old_), "internal ca_keys.missing");
  EXPECT_TRUE(signs(keys, new_));
  ASSERT_EQ(token_->keys().size(), 1U);
  EXPECT_EQ(token_->keys().at(0).uri, new_.key_uri);
}

/// NoServerKeys is a token that encrypts nothing.
TEST_F(TokenCaKeysTest, WhatTheTokenDoesNotEncryptIsNotPromised) {
  TokenCaKeys keys(only_token(), snapshot(old_), kPatience);
  const auto applied = [&](const char* packages) {
    return refusal(
        [&] { static_cast<void>(apply(store_->configuration(), keys, new_, packages)); });
  };
  EXPECT_EQ(applied("[\"hsm-wrapped\"]"), "config serverkeygen.hsm_wrapped");
  EXPECT_EQ(refused(keys, new_), "internal ca_keys.missing");
  EXPECT_EQ(applied("[\"cms\"]"), "none");
}

TEST_F(TokenCaKeysTest, AChangeThatIsNotStoredAddsNoKey) {
  TokenCaKeys keys(only_token(), snapshot(old_), kPatience);
  FullStore full(store_->configuration());
  EXPECT_EQ(refusal([&] { static_cast<void>(apply(full, keys, new_)); }), "store store.full");
  EXPECT_EQ(refused(keys, new_), "internal ca_keys.missing");
  EXPECT_EQ(apply(store_->configuration(), keys, new_).version, 2U);
  EXPECT_TRUE(signs(keys, new_));
}

}  // namespace
}  // namespace estia::app
