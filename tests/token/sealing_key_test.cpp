// SPDX-License-Identifier: Apache-2.0
// Secrets that are kept outside the token, and open only with its key.
#include "hsm/sealing_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "crypto/base/secure_bytes.h"
#include "hsm/ckr.h"
#include "hsm/module.h"
#include "hsm/objects.h"
#include "hsm/slots.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

constexpr std::string_view kSecret = "0123456789abcdef";
constexpr std::string_view kOwner = "alias factory";

class SealingKeyTest : public ShimTest {
 protected:
  void SetUp() override {
    open_secure_heap(std::size_t{1} << 20U);
    token_ = open_shim();
    key_ = std::make_unique<SealingKey>(*token_);
  }

  [[nodiscard]] Bytes sealed() { return key_->seal(as_bytes(kSecret), as_bytes(kOwner)); }
  [[nodiscard]] static std::string opened(SealingKey& key, ByteView sealed,
                                          std::string_view owner = kOwner) {
    std::string text;
    const std::string refused =
        refusal([&] { text = std::string(as_text(key.open(sealed, as_bytes(owner)).view())); });
    return refused == "none" ? text : refused;
  }

  /// Use of the token beside the code under test.
  template <class Use>
  void with_objects(Use&& use) {
    const auto module = Module::load(config().module, {});
    const CK_SLOT_ID slot = find_slot(*module, dir_.label, {}).id;
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    check((*module)->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                   &session),
          "C_OpenSession");
    use(*module, session, Objects(*module, session));
    check((*module)->C_CloseSession(session), "C_CloseSession");
  }
  [[nodiscard]] static std::vector<CK_OBJECT_HANDLE> keys_in(const Objects& objects) {
    Template wanted;
    wanted.number(CKA_CLASS, CKO_SECRET_KEY).flag(CKA_TOKEN, true);
    return objects.find(wanted, 10);
  }
  /// A key of that name that somebody else made.
  void make_foreign_key(bool extractable) {
    with_objects([&](const Module& module, CK_SESSION_HANDLE session, const Objects&) {
      Template wanted;
      wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
      wanted.number(CKA_VALUE_LEN, 32).flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true);
      wanted.text(CKA_LABEL, SealingKey::kLabel).bytes(CKA_ID, Bytes(16, 7));
      wanted.flag(CKA_SENSITIVE, !extractable).flag(CKA_EXTRACTABLE, extractable);
      wanted.flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true);
      CK_MECHANISM generation{CKM_AES_KEY_GEN, nullptr, 0};
      CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
      check(module->C_GenerateKey(session, &generation, wanted.data(), wanted.size(), &key),
            "C_GenerateKey");
    });
  }

  std::shared_ptr<Token> token_;
  std::unique_ptr<SealingKey> key_;
};

TEST_F(SealingKeyTest, GivesBackWhatItSealed) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, SealingKey::kMostSealed}) {
    const Bytes secret(size, 0xA5);
    const Bytes sealed = key_->seal(secret, as_bytes(kOwner));
    EXPECT_EQ(opened(*key_, sealed), std::string(as_text(secret)));
    EXPECT_TRUE(std::ranges::search(sealed, Bytes(16, 0xA5)).empty());
  }
  EXPECT_NE(sealed(), sealed()) << "an IV of its own each time";
}

TEST_F(SealingKeyTest, TheKeyIsMadeOnceAndStays) {
  const Bytes first = sealed();
  SealingKey another(*token_);
  const Bytes second = another.seal(as_bytes(kSecret), as_bytes(kOwner));
  EXPECT_EQ(opened(another, first), kSecret);
  EXPECT_EQ(opened(*key_, second), kSecret);
  EXPECT_EQ(shim_.calls("C_GenerateKey"), 1U);
  const unsigned long searches = shim_.calls("C_FindObjectsInit");
  EXPECT_EQ(opened(*key_, second), kSecret);
  EXPECT_EQ(shim_.calls("C_FindObjectsInit"), searches) << "found once";
}

TEST_F(SealingKeyTest, TheKeyNeverLeavesTheTokenAndDoesNothingElse) {
  static_cast<void>(sealed());
  with_objects([](const Module&, CK_SESSION_HANDLE, const Objects& objects) {
    const auto keys = keys_in(objects);
    ASSERT_EQ(keys.size(), 1U);
    for (const CK_ATTRIBUTE_TYPE on : {CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
                                       CKA_LOCAL, CKA_PRIVATE, CKA_ENCRYPT, CKA_DECRYPT}) {
      EXPECT_EQ(objects.flag(keys.front(), on), true) << on;
    }
    for (const CK_ATTRIBUTE_TYPE off :
         {CKA_EXTRACTABLE, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY, CKA_DERIVE}) {
      EXPECT_EQ(objects.flag(keys.front(), off), false) << off;
    }
    EXPECT_EQ(objects.number(keys.front(), CKA_VALUE_LEN), 32U);
    EXPECT_EQ(objects.bytes(keys.front(), CKA_VALUE), std::nullopt);
  });
}

TEST_F(SealingKeyTest, OpensForItsOwnerOnly) {
  EXPECT_EQ(opened(*key_, sealed(), "alias other"), "store sealing.broken");
  EXPECT_EQ(opened(*key_, sealed(), ""), "store sealing.broken");
}

TEST_F(SealingKeyTest, AnyChangedByteIsNoticed) {
  const Bytes good = sealed();
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes changed = good;
    changed[at] ^= 1U;
    const std::string told = opened(*key_, changed);
    EXPECT_EQ(told, at >= 1 && at <= 16 ? "token sealing.key_missing" : "store sealing.broken")
        << at;
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{45}, good.size() - 1}) {
    EXPECT_EQ(opened(*key_, ByteView(good).first(size)), "store sealing.broken") << size;
  }
  EXPECT_EQ(opened(*key_, good), kSecret) << "no session is left in an operation";
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
}

TEST_F(SealingKeyTest, OnlyASecretOfSuitableSizeIsSealed) {
  for (const std::size_t size : {std::size_t{0}, SealingKey::kMostSealed + 1}) {
    EXPECT_EQ(refusal([&] { static_cast<void>(key_->seal(Bytes(size), {})); }),
              "config sealing.size");
  }
  EXPECT_EQ(shim_.calls("C_GenerateKey"), 0U);
}

TEST_F(SealingKeyTest, AKeyThatCouldHaveBeenReadSealsNothing) {
  make_foreign_key(true);
  EXPECT_EQ(refusal([&] { static_cast<void>(sealed()); }), "conflict sealing.unsupported");
  EXPECT_EQ(shim_.calls("C_EncryptInit"), 0U);
}

TEST_F(SealingKeyTest, OfTwoKeysNoneIsTaken) {
  make_foreign_key(false);
  EXPECT_EQ(opened(*key_, sealed()), kSecret) << "one made by an operator will do";
  make_foreign_key(false);
  SealingKey another(*token_);
  EXPECT_EQ(refusal([&] { static_cast<void>(another.seal(as_bytes(kSecret), as_bytes(kOwner))); }),
            "conflict sealing.key_ambiguous");
}

TEST_F(SealingKeyTest, WithoutItsKeyNothingOpens) {
  const Bytes before = sealed();
  with_objects([](const Module&, CK_SESSION_HANDLE, const Objects& objects) {
    objects.destroy(keys_in(objects).front());
  });
  SealingKey another(*token_);
  EXPECT_EQ(opened(another, before), "token sealing.key_missing");
  EXPECT_EQ(opened(another, another.seal(as_bytes(kSecret), as_bytes(kOwner))), kSecret)
      << "a new one is made";
  EXPECT_EQ(opened(another, before), "token sealing.key_missing");
}

TEST_F(SealingKeyTest, ATokenWithoutAesGcmSaysSo) {
  shim_.fail("C_EncryptInit", CKR_MECHANISM_INVALID);
  EXPECT_EQ(refusal([&] { static_cast<void>(sealed()); }), "conflict sealing.unsupported");
  shim_.fail("C_GenerateKey", CKR_MECHANISM_INVALID);
  SealingKey another(*token_);
  EXPECT_EQ(opened(another, sealed()), kSecret) << "the key of before is found";
}

TEST_F(SealingKeyTest, AFailedCallIsTheTokensAndTheNextOneWorks) {
  const Bytes good = sealed();
  for (const char* function : {"C_DecryptInit", "C_Decrypt"}) {
    shim_.fail(function, CKR_DEVICE_ERROR);
    EXPECT_EQ(opened(*key_, good), "token token.failed") << function;
    EXPECT_EQ(opened(*key_, good), kSecret) << function;
  }
  for (const char* function : {"C_EncryptInit", "C_Encrypt"}) {
    shim_.fail(function, CKR_DEVICE_ERROR);
    EXPECT_EQ(refusal([&] { static_cast<void>(sealed()); }), "token token.failed") << function;
    EXPECT_EQ(opened(*key_, sealed()), kSecret) << function;
  }
  EXPECT_EQ(token_->probe().sessions_in_use, 0U);
}

TEST_F(SealingKeyTest, ManyThreadsOpenAtOnce) {
  const Bytes good = sealed();
  SealingKey fresh(*token_);  // all of them look for the key
  std::atomic<int> right{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 20; ++n) {
          right += opened(fresh, good) == kSecret ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(right, 160);
}

}  // namespace
}  // namespace estia::hsm
