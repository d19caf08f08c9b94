// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hsm/key_store.h"
#include "hsm/token_core.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

class Lookup : public ShimTest {
 protected:
  [[nodiscard]] std::string refused_key(const std::string& uri) {
    return refusal([&] { static_cast<void>(token_->key(KeyUri::parse(uri))); });
  }
  [[nodiscard]] std::string refused_generate(const std::string& label) {
    return refusal([&] { static_cast<void>(token_->generate(spec("P-256"), label)); });
  }

  std::shared_ptr<Token> token_ = open_shim();
};

TEST_F(Lookup, FindsByLabelByIdAndByBoth) {
  const crypto::PrivateKey made = token_->generate(spec("P-256"), "issuing ca/1");
  static_cast<void>(token_->generate(spec("P-256"), "other"));
  const KeyUri uri = token_->uri_of("issuing ca/1");
  const KeyUri by_id = KeyUri::for_object(dir_.label, "", uri.id());
  const KeyUri by_label = KeyUri::for_object(dir_.label, "issuing ca/1", {});
  for (const KeyUri& each : {uri, by_id, by_label}) {
    EXPECT_EQ(token_->key(each).public_key(), made.public_key()) << each.text();
  }
  EXPECT_FALSE(uri.serial().empty());
}

TEST_F(Lookup, NothingIsNotFound) {
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
  EXPECT_EQ(refused_key("pkcs11:object=absent"), "not_found token.key_not_found");
  EXPECT_EQ(refused_key("pkcs11:object=CA"), "not_found token.key_not_found");
  EXPECT_EQ(refused_key("pkcs11:id=%00"), "not_found token.key_not_found");
  EXPECT_EQ(refused_key("pkcs11:object=ca;id=%00"), "not_found token.key_not_found");
  EXPECT_EQ(refusal([&] { static_cast<void>(token_->uri_of("absent")); }),
            "not_found token.key_not_found");
  EXPECT_EQ(refusal([&] { token_->destroy(KeyUri::parse("pkcs11:object=absent")); }),
            "not_found token.key_not_found");
}

TEST_F(Lookup, AnotherTokensNameIsRefused) {
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
  for (const char* uri : {"pkcs11:token=other;object=ca", "pkcs11:serial=1;object=ca",
                          "pkcs11:model=x;object=ca", "pkcs11:manufacturer=x;object=ca"}) {
    EXPECT_EQ(refused_key(uri), "config token.uri_other_token") << uri;
  }
  EXPECT_EQ(refusal([&] { token_->destroy(KeyUri::parse("pkcs11:token=other;object=ca")); }),
            "config token.uri_other_token");
  EXPECT_TRUE(signs(token_->key(token_->uri_of("ca"))));
}

TEST_F(Lookup, ALabelInUseIsNotReplaced) {
  const crypto::PrivateKey first = token_->generate(spec("P-256"), "ca");
  EXPECT_EQ(refused_generate("ca"), "conflict token.key_exists");
  EXPECT_EQ(token_->key(token_->uri_of("ca")).public_key(), first.public_key());
}

TEST_F(Lookup, LabelsMustBeText) {
  for (const std::string& label : {std::string(), std::string("a\nb"), std::string("a\0b", 3),
                                   std::string(256, 'a'), std::string("\x7F")}) {
    EXPECT_EQ(refused_generate(label), "config token.label_invalid");
  }
}

TEST_F(Lookup, TwoKeysOfOneNameAreAmbiguous) {
  const TokenCore core(config());
  const auto attached = core.attachment();
  const auto lease = attached->pool().borrow(SessionKind::read_write);
  static_cast<void>(generate_pair(attached->module(), lease.handle(), spec("P-256"), "twin"));
  static_cast<void>(generate_pair(attached->module(), lease.handle(), spec("P-256"), "twin"));
  EXPECT_EQ(refused_key("pkcs11:object=twin"), "conflict token.key_ambiguous");
}

TEST_F(Lookup, KeyWithoutItsPublicObjectIsRefused) {
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
  const TokenCore core(config());
  const auto attached = core.attachment();
  const auto lease = attached->pool().borrow(SessionKind::read_write);
  const Objects objects(attached->module(), lease.handle());
  objects.destroy(find_pair(objects, token_->uri_of("ca")).public_object);
  EXPECT_EQ(refused_key("pkcs11:object=ca"), "not_found token.public_key_missing");
}

TEST_F(Lookup, ForeignPublicKeyIsFoundOut) {
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
  shim_.corrupt_signatures(true);
  EXPECT_EQ(refused_key("pkcs11:object=ca"), "token token.key_mismatch");
  shim_.corrupt_signatures(false);
  EXPECT_TRUE(signs(token_->key(token_->uri_of("ca"))));
}

TEST_F(Lookup, BrokenPublicKeyIsFoundOut) {
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
  shim_.flip_attribute(CKA_EC_PARAMS);
  EXPECT_EQ(refused_key("pkcs11:object=ca"), "token token.public_key_invalid");
}

TEST_F(Lookup, KeyThatIsNotAsAskedForIsDestroyed) {
  // Each of these would make a CA key worth less than the operator believes.
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_TOKEN, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
        CKA_LOCAL, CKA_SIGN, CKA_SIGN_RECOVER, CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE}) {
    shim_.flip_attribute(type);
    EXPECT_EQ(refused_generate("ca"), "token token.key_attributes") << type;
    shim_.flip_attribute(~0UL);
    EXPECT_EQ(refused_key("pkcs11:object=ca"), "not_found token.key_not_found") << type;
  }
  static_cast<void>(token_->generate(spec("P-256"), "ca"));  // the label is free: nothing was left
}

TEST_F(Lookup, KindsThatAreNotSupportedAreNeitherMadeNorUsed) {
  const crypto::KeySpec small = {"RSA-1024", spec("RSA-2048").algorithm_oid, "", 1024};
  EXPECT_EQ(refusal([&] { static_cast<void>(token_->generate(small, "ca")); }),
            "config token.key_unsupported");
  EXPECT_EQ(refused_key("pkcs11:object=ca"), "not_found token.key_not_found");
}

TEST_F(Lookup, KeyThatCannotProveItselfIsDestroyed) {
  shim_.corrupt_signatures(true);
  EXPECT_EQ(refused_generate("ca"), "token token.key_mismatch");
  shim_.corrupt_signatures(false);
  shim_.fail("C_SignInit", CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(refused_generate("ca"), "token token.unsupported");
  EXPECT_EQ(refused_key("pkcs11:object=ca"), "not_found token.key_not_found");
}

TEST_F(Lookup, FailedGenerationIsAnErrorAndLeavesThePoolWhole) {
  shim_.fail("C_GenerateKeyPair", CKR_DEVICE_MEMORY);
  EXPECT_EQ(refused_generate("ca"), "token token.exhausted");
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
  EXPECT_TRUE(signs(token_->generate(spec("P-256"), "ca")));
}

TEST_F(Lookup, DestroyedKeyIsGoneForGood) {
  const crypto::PrivateKey key = token_->generate(spec("P-256"), "ca");
  token_->destroy(token_->uri_of("ca"));
  EXPECT_EQ(refused_key("pkcs11:object=ca"), "not_found token.key_not_found");
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
}

TEST_F(Lookup, KeysAreSessionCopiesThatGoWithTheirUsers) {
  static_cast<void>(token_->generate(spec("P-256"), "ca"));
  const KeyUri uri = token_->uri_of("ca");
  const unsigned long copies = shim_.calls("C_CopyObject");
  const unsigned long destroyed = shim_.calls("C_DestroyObject");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(signs(token_->key(uri)));
  }
  EXPECT_EQ(shim_.calls("C_CopyObject"), copies + 3);
  EXPECT_EQ(shim_.calls("C_DestroyObject"), destroyed + 3);
}

TEST_F(Lookup, TokenThatMakesNoCopiesIsUsedDirectly) {
  shim_.fail("C_CopyObject", CKR_ACTION_PROHIBITED, 2);
  const unsigned long destroyed = shim_.calls("C_DestroyObject");
  EXPECT_TRUE(signs(token_->generate(spec("P-256"), "ca")));
  EXPECT_TRUE(signs(token_->key(token_->uri_of("ca"))));
  EXPECT_EQ(shim_.calls("C_DestroyObject"), destroyed) << "never the token's own object";
}

TEST_F(Lookup, OneSessionIsEnoughForEverything) {
  TokenConfig narrow = config();
  narrow.max_sessions = 1;
  const auto token = Token::open(narrow);
  EXPECT_TRUE(signs(token->generate(spec("P-256"), "ca")));
  EXPECT_TRUE(signs(token->key(token->uri_of("ca"))));
  EXPECT_TRUE(token->attributes(token->uri_of("ca")).sign);
  token->destroy(token->uri_of("ca"));
}

}  // namespace
}  // namespace estia::hsm
