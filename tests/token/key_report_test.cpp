// SPDX-License-Identifier: Apache-2.0
// What is known of the keys in use, and of calls that failed; keys whose signatures are wrong.
#include "hsm/ckr.h"
#include "hsm/key_store.h"
#include "hsm/key_templates.h"
#include "tests/token/recovery_test_base.h"

namespace estia::hsm {
namespace {

class KeyReports : public RecoveryTest {
 protected:
  [[nodiscard]] KeyReport only() const {
    const std::vector<KeyReport> keys = token_->keys();
    EXPECT_EQ(keys.size(), 1U);
    return keys.at(0);
  }
  /// As at the start of a daemon.
  [[nodiscard]] static crypto::PrivateKey looked_for(const LateKey& late) {
    static_cast<void>(test::refusal(late.find));
    return late.key;
  }
  /// As an operator's tool makes it; the token logs in for the whole process.
  [[nodiscard]] crypto::PublicKey make_pair_that_wants_logins(const std::string& label) const {
    const auto module = Module::load(config_.module, {});
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    check((*module)->C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                   &session),
          "C_OpenSession");
    Template one;
    one.flag(CKA_TOKEN, true).text(CKA_LABEL, label).bytes(CKA_ID, Bytes{9});
    add_kind(one, spec("P-256"));
    Template other;
    other.flag(CKA_TOKEN, true).text(CKA_LABEL, label).bytes(CKA_ID, Bytes{9});
    other.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false);
    other.flag(CKA_SIGN, true).flag(CKA_ALWAYS_AUTHENTICATE, true);
    CK_MECHANISM mechanism{generation_mechanism(spec("P-256")), nullptr, 0};
    KeyPair pair;
    check((*module)->C_GenerateKeyPair(session, &mechanism, one.data(), one.size(), other.data(),
                                       other.size(), &pair.public_object, &pair.private_object),
          "C_GenerateKeyPair");
    crypto::PublicKey made = Objects(*module, session).public_key(pair.public_object);
    check((*module)->C_CloseSession(session), "C_CloseSession");
    return made;
  }
  void distrust() { token_->distrust(token_->uri_of("ca"), key_->public_key()); }
};

TEST_F(KeyReports, SayWhatTheTokenSaysOfAKey) {
  const KeyReport report = only();
  EXPECT_NE(report.uri.find("object=ca"), std::string::npos);
  EXPECT_EQ(report.kind, "P-256");
  EXPECT_TRUE(report.ready);
  EXPECT_EQ(report.why, "");
  ASSERT_TRUE(report.attributes);
  EXPECT_TRUE(report.attributes->sensitive && report.attributes->never_extractable &&
              report.attributes->local && report.attributes->sign);
  EXPECT_FALSE(report.attributes->extractable || report.attributes->decrypt ||
               report.attributes->unwrap || report.attributes->derive);
}

/// Found in review: that a key can leave the token was its refusal, and nothing showed it.
TEST_F(KeyReports, SayWhatTheTokenSaysOfAKeyThatIsRefused) {
  shim_.flip_attribute(CKA_EXTRACTABLE);
  const crypto::PrivateKey later =
      looked_for(token_->key_later(token_->uri_of("ca"), key_->public_key()));
  shim_.flip_attribute(~0UL);
  const KeyReport refused = token_->keys().at(1);
  EXPECT_TRUE(refused.refused);
  EXPECT_EQ(refused.why.rfind("token.key_extractable", 0), 0U) << refused.why;
  ASSERT_TRUE(refused.attributes);
  EXPECT_TRUE(refused.attributes->extractable && refused.attributes->sign);
  while (test::refusal([&] { static_cast<void>(signs(later)); }) != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_FALSE(token_->keys().at(1).attributes->extractable) << "as it was found";
}

/// Found in review: each signature failed as if the login were lost, so that estiad logged in again
/// and again, and the token's good keys read "not attached".
TEST_F(KeyReports, AKeyThatWantsALoginForEachSignatureCostsTheOthersNone) {
  const crypto::PublicKey public_half = make_pair_that_wants_logins("asks");
  const KeyUri uri = token_->uri_of("asks");
  EXPECT_EQ(test::refusal([&] { static_cast<void>(token_->key(uri)); }),
            "token token.key_always_authenticate");
  const crypto::PrivateKey later = looked_for(token_->key_later(uri, public_half));
  for (int poll = 0; poll < 10; ++poll) {
    EXPECT_EQ(token_->probe().state, TokenState::attached);
    EXPECT_EQ(test::refusal([&] { static_cast<void>(signs(later)); }),
              "token token.key_always_authenticate");
    EXPECT_TRUE(signs_now());
    std::this_thread::sleep_for(std::chrono::milliseconds(150));  // its rest ends in between
  }
  const KeyReport report = token_->keys().at(1);
  EXPECT_TRUE(report.refused);
  EXPECT_EQ(report.why.rfind("token.key_always_authenticate", 0), 0U) << report.why;
  ASSERT_TRUE(report.attributes);
  EXPECT_TRUE(report.attributes->always_authenticate);
  EXPECT_FALSE(token_->keys().at(0).attributes->always_authenticate);
  EXPECT_EQ(token_->probe().logins, 1U);
  EXPECT_EQ(events(), "attached key_refused");
}

/// Found in review: the manual promised it, and of another key under the name nothing was shown.
TEST_F(KeyReports, SayWhatTheTokenSaysOfAnotherKeyOfThatName) {
  const crypto::PrivateKey other = token_->generate(spec("RSA-2048"), "other");
  const crypto::PrivateKey later =
      looked_for(token_->key_later(token_->uri_of("ca"), other.public_key()));
  const KeyReport report = token_->keys().at(2);
  EXPECT_EQ(report.why.rfind("token.key_changed", 0), 0U) << report.why;
  ASSERT_TRUE(report.attributes);
  EXPECT_TRUE(report.attributes->sensitive && report.attributes->sign);
  EXPECT_EQ(report.attributes->spec.name, "P-256") << "of what was found";
}

TEST_F(KeyReports, MakeNoCall) {
  const unsigned long before = shim_.calls("C_GetAttributeValue") + shim_.calls("C_FindObjects");
  static_cast<void>(only());
  EXPECT_EQ(shim_.calls("C_GetAttributeValue") + shim_.calls("C_FindObjects"), before);
}

TEST_F(KeyReports, EndWithTheKey) {
  key_.reset();
  EXPECT_TRUE(token_->keys().empty());
}

TEST_F(KeyReports, SayWhyOneIsMissing) {
  const crypto::PrivateKey missing =
      looked_for(token_->key_later(KeyUri::parse("pkcs11:object=none"), key_->public_key()));
  EXPECT_EQ(token_->keys().at(1).why.rfind("token.key_not_found", 0), 0U) << "it was looked for";
  EXPECT_FALSE(token_->keys().at(1).ready);
  EXPECT_TRUE(token_->keys().at(1).refused);
  EXPECT_FALSE(token_->keys().at(1).attributes);
  EXPECT_FALSE(token_->keys().at(0).refused);
  EXPECT_EQ(events(), "attached key_refused");
  EXPECT_EQ(test::refusal([&] { static_cast<void>(signs(missing)); }), "token token.key_not_found");
  EXPECT_EQ(token_->keys().at(1).why.rfind("token.key_not_found", 0), 0U);
  EXPECT_TRUE(token_->keys().at(0).ready);
}

/// Found as a hole: a handle that came to name another key was used on, until a restart.
TEST_F(KeyReports, AWrongSignatureLeadsToAnotherLogin) {
  distrust();
  while (token_->probe().logins < 2 || token_->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(signs_now());
  EXPECT_EQ(token_->probe().logins, 2U);
  EXPECT_EQ(events(), "attached lost attached");
}

/// The right public key object beside another private key: known before anything is signed with it.
TEST_F(KeyReports, AKeyIsProvenEachTimeItIsFound) {
  shim_.corrupt_signatures(true);
  const unsigned long before = shim_.calls("C_Sign");
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_EQ(refused(), "token token.key_mismatch");
  EXPECT_EQ(shim_.calls("C_Sign"), before + 1) << "the proof, and nothing of the caller's";
  EXPECT_TRUE(only().refused);
  EXPECT_EQ(only().why.rfind("token.key_mismatch", 0), 0U);
  EXPECT_EQ(events(), "attached lost attached key_refused");
  shim_.corrupt_signatures(false);
  while (refused() != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(events(), "attached lost attached key_refused key_found");
}

/// Found in review: neither log nor audit trail was told.
TEST_F(KeyReports, AKeyWhoseSignaturesAllFailIsSaidOnceAndItsEnd) {
  shim_.fail("C_Sign", CKR_FUNCTION_FAILED, 1'000'000);
  while (events().find("key_refused") == std::string::npos) {
    EXPECT_NE(refused(), "none");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_NE(refused(), "none");
  shim_.fail("C_Sign", CKR_FUNCTION_FAILED, 0);
  while (refused() != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::string said = events();
  EXPECT_EQ(said.find("key_refused"), said.rfind("key_refused")) << said;
  EXPECT_TRUE(said.ends_with("key_refused key_found")) << said;
}

/// Found by a mutant: nothing showed that they must be in a row.
TEST_F(KeyReports, FailuresWithSuccessesBetweenRefuseNoKey) {
  for (int i = 0; i < 5; ++i) {
    shim_.fail("C_Sign", CKR_FUNCTION_FAILED);
    EXPECT_NE(refused(), "none");
    EXPECT_TRUE(signs_now());
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
  }
  EXPECT_EQ(events(), "attached");
  EXPECT_TRUE(only().ready);
}

/// Found in review: all was well, it said. One that is full for a moment is no reason.
TEST_F(KeyReports, AKeyWhoseTokenIsFullForEverIsRefused) {
  shim_.fail("C_Sign", CKR_DEVICE_MEMORY, 1'000'000);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(refused(), "token token.exhausted");
  EXPECT_FALSE(only().refused);
  while (!only().refused) {
    EXPECT_EQ(refused(), "token token.exhausted");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  shim_.fail("C_Sign", CKR_DEVICE_MEMORY, 0);
  while (!only().ready) {
    static_cast<void>(token_->probe());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(signs_now());
}

/// Found in review: nothing was wrong with it for ten seconds, and nothing was said of what had
/// failed. One that has signed is not refused for a token that is full for a moment.
TEST_F(KeyReports, AKeyThatWasNeverFoundIsRefusedAtOnce) {
  const KeyUri uri = token_->uri_of("ca");
  for (const auto& [function, rv] : {std::pair("C_FindObjects", CKR_DEVICE_MEMORY),
                                     {"C_GetAttributeValue", CKR_HOST_MEMORY},
                                     {"C_SignInit", CKR_SESSION_COUNT}}) {
    SCOPED_TRACE(function);
    const LateKey late = token_->key_later(uri, key_->public_key());
    EXPECT_TRUE(token_->keys().at(1).refused) << "nobody has looked yet";
    shim_.fail(function, rv, 1'000'000);
    EXPECT_EQ(test::refusal(late.find), "token token.exhausted");
    const KeyReport report = token_->keys().at(1);
    EXPECT_TRUE(report.refused);
    EXPECT_EQ(report.why.rfind("token.exhausted", 0), 0U) << report.why;
    EXPECT_FALSE(token_->keys().at(0).refused);
    shim_.fail(function, rv, 0);
    EXPECT_TRUE(signs(late.key));
    EXPECT_FALSE(token_->keys().at(1).refused);
    EXPECT_TRUE(token_->keys().at(1).ready);
    EXPECT_EQ(token_->keys().at(1).why, "");
  }
}

/// Found in review: it was looked for with every request, and each time a copy was left behind.
TEST_F(KeyReports, AKeyThatMayNotSignRestsAndIsSaid) {
  shim_.fail("C_SignInit", CKR_KEY_FUNCTION_NOT_PERMITTED);
  const crypto::PrivateKey later =
      looked_for(token_->key_later(token_->uri_of("ca"), key_->public_key()));
  const KeyReport report = token_->keys().at(1);
  EXPECT_TRUE(report.refused);
  EXPECT_EQ(report.why.rfind("token.unsupported", 0), 0U) << report.why;
  EXPECT_NE(events().find("key_refused"), std::string::npos) << events();
  const unsigned long before = shim_.calls("C_CopyObject");
  for (int i = 0; i < 50; ++i) {
    shim_.fail("C_SignInit", CKR_KEY_FUNCTION_NOT_PERMITTED);
    static_cast<void>(test::refusal([&] { static_cast<void>(signs(later)); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_LE(shim_.calls("C_CopyObject"), before + 1) << "found anew once a minute";
}

TEST_F(KeyReports, AKeyThatIsFoundLaterIsProvenThen) {
  shim_.corrupt_signatures(true);
  const crypto::PrivateKey later =
      looked_for(token_->key_later(token_->uri_of("ca"), key_->public_key()));
  EXPECT_EQ(token_->keys().at(1).why.rfind("token.key_mismatch", 0), 0U);
  EXPECT_TRUE(token_->keys().at(1).attributes) << "of the object that was refused";
  const unsigned long before = shim_.calls("C_Sign");
  EXPECT_EQ(test::refusal([&] { static_cast<void>(signs(later)); }), "token token.key_mismatch");
  EXPECT_EQ(shim_.calls("C_Sign"), before) << "it rests for a second";
  shim_.corrupt_signatures(false);
  while (test::refusal([&] { static_cast<void>(signs(later)); }) != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

/// Found in review: the manual said that it is found out at the next use.
TEST_F(KeyReports, AKeyThatIsDeletedSignsByItsCopyUntilTheNextLogin) {
  token_->destroy(token_->uri_of("ca"));
  EXPECT_TRUE(signs_now());
  EXPECT_FALSE(only().refused);
  shim_.fail("C_SignInit", CKR_USER_NOT_LOGGED_IN, 2);
  EXPECT_EQ(refused(), "token token.key_not_found");
  EXPECT_TRUE(only().refused);
}

/// One bad signature among thousands must not stop the others, nor one key's trouble other keys.
TEST_F(KeyReports, FurtherWrongSignaturesTakeNoFurtherLogin) {
  distrust();
  while (token_->probe().logins < 2 || token_->probe().state != TokenState::attached) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(signs_now());
  for (int i = 0; i < 3; ++i) {
    const unsigned long before = shim_.calls("C_FindObjects");
    distrust();
    EXPECT_TRUE(signs_now());
    EXPECT_GT(shim_.calls("C_FindObjects"), before) << "found again all the same";
  }
  EXPECT_EQ(token_->probe().logins, 2U);
}

TEST_F(KeyReports, FailuresAreCountedByCode) {
  shim_.fail("C_SignInit", CKR_SESSION_HANDLE_INVALID);
  shim_.fail("C_Sign", CKR_DEVICE_ERROR);
  EXPECT_EQ(refused(), "token token.failed");
  const auto errors = token_->statistics().errors;
  EXPECT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors.at("CKR_SESSION_HANDLE_INVALID (0xb3)"), 1U);
  EXPECT_EQ(errors.at("CKR_DEVICE_ERROR (0x30)"), 1U);
}

/// A module may answer anything: what is counted does not grow with it.
TEST(TokenStatistics, CodesBeyondTheLimitAreCountedTogether) {
  TokenStatistics statistics;
  for (CK_RV rv = CKR_VENDOR_DEFINED; rv < CKR_VENDOR_DEFINED + 100; ++rv) {
    statistics.failed(rv);
  }
  const auto errors = statistics.counts().errors;
  EXPECT_EQ(errors.size(), TokenStatistics::kMostCodes + 1);
  EXPECT_EQ(errors.at("other"), 100U - TokenStatistics::kMostCodes);
}

TEST(TokenStatistics, EachTimeIsInItsBucket) {
  TokenStatistics statistics;
  statistics.signed_in(std::chrono::microseconds(100));  // the bound itself is below
  statistics.signed_in(std::chrono::microseconds(101));
  statistics.signed_in(std::chrono::seconds(60));
  const auto counts = statistics.counts();
  EXPECT_EQ(counts.signatures.front(), 1U);
  EXPECT_EQ(counts.signatures[1], 1U);
  EXPECT_EQ(counts.signatures.back(), 1U);
  EXPECT_NEAR(counts.sign_seconds, 60.000201, 1e-9);
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class ProviderKeyReports : public RecoveryTest {
 protected:
  ProviderKeyReports()
      : RecoveryTest(std::chrono::milliseconds(1000), {.signing = Signing::pkcs11_provider}) {}
};

/// Found in review: only our own signatures were counted.
TEST_F(ProviderKeyReports, AKeyWhoseSignaturesAllFailIsRefused) {
  shim_.fail("C_Sign", CKR_FUNCTION_FAILED, 1'000'000);
  while (!token_->keys().at(0).refused) {
    EXPECT_NE(refused(), "none");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  shim_.fail("C_Sign", CKR_FUNCTION_FAILED, 0);
  while (refused() != "none") {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}
#endif

}  // namespace
}  // namespace estia::hsm
