// SPDX-License-Identifier: Apache-2.0
// What operators and load balancers are told of tokens.
#include "server/app/token_reports.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/tls_client.h"

namespace estia::app {
namespace {

using Words = std::vector<std::string>;

/// As a CA's key is made.
hsm::KeyAttributes good_key() {
  hsm::KeyAttributes key;
  key.token = key.sensitive = key.always_sensitive = key.never_extractable = key.local = key.sign =
      true;
  key.extractable = false;
  return key;
}

SeenToken seen(const std::string& name, hsm::TokenState state, hsm::KeyAttributes key = {}) {
  hsm::TokenStatus status;
  status.state = state;
  status.present = status.logged_in = true;
  return {.name = name,
          .status = status,
          .statistics = {},
          .keys = {{.uri = hsm::KeyUri::parse("pkcs11:object=a").text(),
                    .kind = "P-256",
                    .ready = true,
                    .attributes = key}}};
}

api::TokenKeyStatus report(const hsm::KeyAttributes& key) {
  return report_of(seen("main", hsm::TokenState::attached, key), ca::Snapshot()).keys.at(0);
}

TEST(TokenReports, AKeyAsItIsMadeHasNoShortcomings) {
  const api::TokenKeyStatus key = report(good_key());
  EXPECT_EQ(key.attributes, (Words{"sensitive", "always sensitive", "never extractable",
                                   "made in the token", "sign"}));
  EXPECT_EQ(key.shortcomings, Words());
  EXPECT_TRUE(key.ready);
}

TEST(TokenReports, AnImportedKeyIsSaidToBeOne) {
  hsm::KeyAttributes key = good_key();
  key.always_sensitive = key.never_extractable = key.local = false;
  EXPECT_EQ(report(key).shortcomings,
            (Words{"was extractable once, or was imported", "not made in the token"}));
}

TEST(TokenReports, AKeyThatMayDoMoreThanSignIsSaidToBeOne) {
  for (bool hsm::KeyAttributes::*use :
       {&hsm::KeyAttributes::decrypt, &hsm::KeyAttributes::unwrap, &hsm::KeyAttributes::derive,
        &hsm::KeyAttributes::sign_recover}) {
    hsm::KeyAttributes key = good_key();
    key.*use = true;
    EXPECT_EQ(report(key).shortcomings, Words{"may do more than sign"});
  }
}

TEST(TokenReports, AKeyThatWantsALoginEachTimeIsSaidToBeOne) {
  hsm::KeyAttributes key = good_key();
  key.always_authenticate = true;
  EXPECT_EQ(report(key).attributes.back(), "always authenticate");
  EXPECT_EQ(report(key).shortcomings, Words{"wants a login for each signature"});
}

TEST(TokenReports, WhoseAKeyIs) {
  ca::Snapshot snapshot;
  for (const char* name : {"one", "two"}) {
    ca::CertificationAuthority authority;
    authority.name = name;
    authority.key_uri = "pkcs11:object=a";
    snapshot.cas.emplace(name, authority);
  }
  EXPECT_EQ(report_of(seen("main", hsm::TokenState::attached, good_key()), snapshot).keys.at(0).cas,
            (Words{"one", "two"}));
}

TEST(TokenReports, EveryStateHasAName) {
  std::set<std::string> names;
  for (const auto state :
       {hsm::TokenState::attached, hsm::TokenState::recovering, hsm::TokenState::away,
        hsm::TokenState::pin_refused, hsm::TokenState::pin_awaited}) {
    names.insert(report_of(seen("main", state), ca::Snapshot()).state);
  }
  EXPECT_EQ(names, (std::set<std::string>{"attached", "recovering", "away", "PIN refused",
                                          "PIN awaited"}));
}

class Readiness : public testing::Test {
 protected:
  [[nodiscard]] std::string token_check(std::vector<SeenToken> tokens) const {
    return check("token", std::move(tokens), std::make_shared<ca::Snapshot>());
  }
  [[nodiscard]] std::string check(const std::string& name, std::vector<SeenToken> tokens,
                                  const std::shared_ptr<const ca::Snapshot>& snapshot) const {
    const Monitored monitored{.store = {},
                              .tokens = std::move(tokens),
                              .server_keys = {},
                              .load = {},
                              .tls_certificate = identity_.chain.front(),
                              .snapshot = snapshot,
                              .now = std::chrono::system_clock::now(),
                              .stopping = false};
    for (const auto& [check, trouble] : readiness_of(monitored)) {
      if (check == name) {
        return trouble;
      }
    }
    return "there is no such check";
  }
  const http::TlsIdentity identity_ = test::make_tls_identity("CN=localhost");
};

TEST_F(Readiness, OneTokenThatIsAwayIsSaidSo) {
  EXPECT_EQ(token_check({seen("main", hsm::TokenState::attached)}), "");
  EXPECT_EQ(token_check({seen("main", hsm::TokenState::away)}), "away");
  EXPECT_EQ(token_check({seen("main", hsm::TokenState::pin_awaited)}), "the PIN is awaited");
  SeenToken silent = seen("main", hsm::TokenState::attached);
  silent.status.reset();
  EXPECT_EQ(token_check({silent}), "does not answer");
}

/// Found in review: the listener's key hid that no CA could sign.
TEST_F(Readiness, KeysAreThoseOfTheCasThatAreServed) {
  const auto snapshot = std::make_shared<ca::Snapshot>();
  ca::CertificationAuthority authority;
  authority.name = "one";
  authority.key_uri = "pkcs11:object=a";
  snapshot->cas.emplace("one", authority);
  ca::Alias alias;
  alias.ca = "one";
  snapshot->aliases.emplace("est", alias);
  SeenToken token = seen("main", hsm::TokenState::attached);
  EXPECT_EQ(check("keys", {token}, snapshot), "");
  token.keys.at(0).ready = false;
  token.keys.at(0).refused = true;
  token.keys.push_back(
      {.uri = hsm::KeyUri::parse("pkcs11:object=tls").text(), .kind = "P-256", .ready = true});
  EXPECT_EQ(check("keys", {token}, snapshot), "none can be used");
  token.keys.at(0).refused = false;
  SeenToken well = seen("well", hsm::TokenState::attached);
  well.keys.clear();
  token.status->state = hsm::TokenState::away;
  EXPECT_EQ(check("keys", {token, well}, snapshot), "none can be used") << "it is away";
  EXPECT_EQ(check("keys", {token}, snapshot), "") << "which is said of the token";
  // Found in review: its token was another one than the configuration's, and so nobody's.
  EXPECT_EQ(check("keys", {well}, snapshot), "none can be used");
}

/// Found in review: nobody got in, and readiness was green.
TEST_F(Readiness, TheListenersKeyIsOneOfThem) {
  const auto snapshot = std::make_shared<ca::Snapshot>();
  SeenToken token = seen("main", hsm::TokenState::attached);
  token.keys.at(0).fingerprint = identity_.chain.front().public_key().fingerprint();
  EXPECT_EQ(check("keys", {token}, snapshot), "");
  SeenToken refused = token;
  refused.keys.at(0).ready = false;
  refused.keys.at(0).refused = true;
  const std::string trouble = "the listener's cannot be used";
  EXPECT_EQ(check("keys", {refused}, snapshot), trouble);
  refused.keys.push_back(token.keys.at(0));
  EXPECT_EQ(check("keys", {refused}, snapshot), "") << "while it is renewed there may be two";
  SeenToken away = seen("main", hsm::TokenState::away);
  away.keys = token.keys;
  // Found in review: with a single token only that was said to be away, as if cacerts were served.
  EXPECT_EQ(check("keys", {away}, snapshot), trouble);
  const SeenToken other = seen("other", hsm::TokenState::attached);
  EXPECT_EQ(check("keys", {away, other}, snapshot), trouble);
  EXPECT_EQ(check("token", {away, other}, snapshot), "");
  EXPECT_EQ(check("keys", {token, other}, snapshot), "");
}

/// Another node would have the same HSMs.
TEST_F(Readiness, OfSeveralOneIsEnough) {
  EXPECT_EQ(
      token_check({seen("main", hsm::TokenState::away), seen("net", hsm::TokenState::attached)}),
      "");
  EXPECT_EQ(
      token_check({seen("main", hsm::TokenState::away), seen("net", hsm::TokenState::pin_refused)}),
      "main away; net the PIN was refused");
}

}  // namespace
}  // namespace estia::app
