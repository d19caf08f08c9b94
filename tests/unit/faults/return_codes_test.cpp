// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/return_codes.h"

#include <gtest/gtest.h>

#include <regex>

#include "crypto/base/file.h"

namespace estia::hsm::faults {
namespace {

TEST(ReturnCodes, EveryCodeOfTheHeaderIsKnownBothWays) {
  const std::string header = read_file(ESTIA_PKCS11_HEADER);
  const std::regex definition(R"(#define\s+(CKR_\w+)\s+\((0x[0-9a-fA-F]+|\d+)UL\))");
  int codes = 0;
  for (std::sregex_iterator it(header.begin(), header.end(), definition), end; it != end; ++it) {
    const CK_RV code = std::stoul((*it)[2], nullptr, 0);
    EXPECT_EQ(find_code((*it)[1].str()), code);
    EXPECT_EQ(code_name(code), (*it)[1].str());
    ++codes;
  }
  EXPECT_GE(codes, 90);
}

TEST(ReturnCodes, ThoseOfLaterVersionsToo) {
  EXPECT_EQ(find_code("CKR_TOKEN_RESOURCE_EXCEEDED"), 0x201U);
  EXPECT_EQ(find_code("CKR_OPERATION_CANCEL_FAILED"), 0x202U);
}

TEST(ReturnCodes, NumbersAreHexadecimal) {
  EXPECT_EQ(find_code("0x30"), CKR_DEVICE_ERROR);
  EXPECT_EQ(find_code("0x80000005"), CKR_VENDOR_DEFINED + 5);
  EXPECT_EQ(code_name(CKR_VENDOR_DEFINED + 5), "0x80000005");
}

TEST(ReturnCodes, AnythingElseIsNone) {
  for (const char* text : {"", "0x", "0xg", "0x30 ", "30", "-0x30", "0x1ffffffffffffffff",
                           "CKR_DEVICE_ERRO", "ckr_device_error", "DEVICE_ERROR"}) {
    EXPECT_EQ(find_code(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace estia::hsm::faults
