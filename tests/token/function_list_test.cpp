// SPDX-License-Identifier: Apache-2.0
// Modules whose list of functions has NULL in it.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "crypto/base/error.h"
#include "hsm/module.h"
#include "hsm/module_report.h"
#include "tests/token/shim_test_base.h"

namespace estia::hsm {
namespace {

using test::refusal;

// Everything that docs/hsm-integration.md does not ask for, but what pkcs11-provider and libp11 do.
constexpr const char* kOptional =
    "C_GetInfo C_GetSlotInfo C_GetMechanismList C_GetMechanismInfo C_InitToken C_InitPIN C_SetPIN "
    "C_CloseAllSessions C_GetSessionInfo C_GetOperationState C_SetOperationState C_Logout "
    "C_CreateObject C_CopyObject C_GetObjectSize C_SetAttributeValue C_EncryptInit C_Encrypt "
    "C_EncryptUpdate C_EncryptFinal C_DecryptInit C_Decrypt C_DecryptUpdate C_DecryptFinal "
    "C_DigestInit C_Digest C_DigestUpdate C_DigestKey C_DigestFinal C_SignUpdate C_SignFinal "
    "C_SignRecoverInit C_SignRecover C_VerifyInit C_Verify C_VerifyUpdate C_VerifyFinal "
    "C_VerifyRecoverInit C_VerifyRecover C_DigestEncryptUpdate C_DecryptDigestUpdate "
    "C_SignEncryptUpdate C_DecryptVerifyUpdate C_GenerateKey C_WrapKey C_UnwrapKey C_DeriveKey "
    "C_SeedRandom C_GenerateRandom C_GetFunctionStatus C_CancelFunction C_WaitForSlotEvent";

class WithoutFunctions : public ShimTest {
 protected:
  /// Of the shim, which is made anew for each test and asked for its list later.
  static void without(const std::string& functions) {
    ::setenv("ESTIA_P11_WITHOUT", functions.c_str(), 1);
  }
};

/// Found in review: C_CopyObject was called where the module has NULL, and estiad died.
TEST_F(WithoutFunctions, WhatIsOptionalMayBeNull) {
  without(kOptional);
  const auto token = open_shim();
  const crypto::PrivateKey key = token->generate(spec("P-256"), "ca");
  EXPECT_TRUE(signs(key));
  EXPECT_TRUE(signs(token->key(token->uri_of("ca"))));
  EXPECT_EQ(token->probe().state, TokenState::attached);
  token->destroy(token->uri_of("ca"));
}

/// Found in review: `estia token list` is to say less then, not nothing.
TEST_F(WithoutFunctions, TheReportSaysLess) {
  without("C_GetInfo C_GetSlotInfo");
  const ModuleReport report = report_on_module(test::Shim::path(), {});
  EXPECT_EQ(report.library.description, "");
  ASSERT_FALSE(report.slots.empty());
  EXPECT_EQ(report.slots.front().description, "");
  ASSERT_TRUE(report.slots.front().token.has_value());
  EXPECT_EQ(report.slots.front().token->label, dir_.config().label);
}

TEST_F(WithoutFunctions, WhatIsNeededIsNamed) {
  without("C_Sign C_CopyObject C_FindObjectsFinal");
  try {
    static_cast<void>(open_shim());
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), "token.module_invalid");
    EXPECT_EQ(error.code(), ErrorCode::config);
    const std::string said = error.what();
    EXPECT_NE(said.find("has no C_FindObjectsFinal, C_Sign,"), std::string::npos) << said;
  }
}

/// Found in review: the conformance suite said NO 54 times.
TEST_F(WithoutFunctions, OneThatHasOnlyInterfacesIsToldSo) {
  try {
    static_cast<void>(Module::load(ESTIA_NOT_A_MODULE, {}));
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), "token.module_invalid");
    EXPECT_NE(std::string(error.what()).find("C_GetInterface"), std::string::npos) << error.what();
  }
}

#ifndef ESTIA_WITHOUT_PKCS11_PROVIDER
class ProviderWithoutFunctions : public WithoutFunctions,
                                 public ::testing::WithParamInterface<const char*> {
 protected:
  [[nodiscard]] std::shared_ptr<Token> open_provider() const {
    TokenConfig by_provider = config();
    by_provider.signing = Signing::pkcs11_provider;
    return Token::open(by_provider);
  }
};

/// pkcs11-provider loads the module by itself, and calls what is NULL.
TEST_P(ProviderWithoutFunctions, AreRefused) {
  without(GetParam());
  EXPECT_EQ(refusal([&] { static_cast<void>(open_provider()); }),
            "config token.signing_unavailable");
}
INSTANTIATE_TEST_SUITE_P(Each, ProviderWithoutFunctions,
                         ::testing::Values("C_GetInfo", "C_GetSlotInfo", "C_GetMechanismList",
                                           "C_GetMechanismInfo", "C_GetSessionInfo", "C_CopyObject",
                                           "C_GenerateRandom"));

TEST_F(ProviderWithoutFunctions, WorkWhereItCallsNoneOfThem) {
  std::string others = kOptional;
  for (const char* called :
       {"C_GetInfo ", "C_GetSlotInfo ", "C_GetMechanismList ", "C_GetMechanismInfo ",
        "C_GetSessionInfo ", "C_CopyObject ", "C_GenerateRandom "}) {
    others.erase(others.find(called), std::string(called).size());
  }
  without(others);
  const auto token = open_provider();
  EXPECT_TRUE(signs(token->generate(spec("P-256"), "ec")));
  EXPECT_TRUE(signs(token->generate(spec("RSA-2048"), "rsa")));
  EXPECT_TRUE(signs(token->key(token->uri_of("ec"))));
}
#endif

}  // namespace
}  // namespace estia::hsm
