// SPDX-License-Identifier: Apache-2.0
#include "hsm/ckr.h"

#include <gtest/gtest.h>

#include <regex>

#include "crypto/base/file.h"

namespace estia::hsm {
namespace {

TEST(Ckr, EveryCodeOfTheHeaderHasItsName) {
  const std::string header = read_file(ESTIA_PKCS11_HEADER);
  const std::regex definition(R"(#define\s+(CKR_\w+)\s+\((0x[0-9a-fA-F]+|\d+)UL\))");
  int codes = 0;
  for (std::sregex_iterator it(header.begin(), header.end(), definition), end; it != end; ++it) {
    const CK_RV rv = std::stoul((*it)[2], nullptr, 0);
    EXPECT_EQ(ckr_name(rv).substr(0, ckr_name(rv).find(' ')), (*it)[1].str());
    ++codes;
  }
  EXPECT_GE(codes, 90);
}

TEST(Ckr, ClassesFollowTheTableOfFaults) {
  const std::vector<std::pair<CK_RV, Fault>> table = {
      {CKR_SESSION_HANDLE_INVALID, Fault::session_lost},
      {CKR_SESSION_CLOSED, Fault::session_lost},
      {CKR_OPERATION_ACTIVE, Fault::session_lost},
      {0x202, Fault::session_lost},  // CKR_OPERATION_CANCEL_FAILED
      {CKR_OBJECT_HANDLE_INVALID, Fault::stale_handle},
      {CKR_KEY_HANDLE_INVALID, Fault::stale_handle},
      {CKR_DEVICE_REMOVED, Fault::gone},
      {CKR_TOKEN_NOT_PRESENT, Fault::gone},
      {CKR_SLOT_ID_INVALID, Fault::gone},
      {CKR_DEVICE_MEMORY, Fault::exhausted},
      {CKR_HOST_MEMORY, Fault::exhausted},
      {CKR_SESSION_COUNT, Fault::exhausted},
      {CKR_USER_NOT_LOGGED_IN, Fault::login_lost},
      {CKR_PIN_INCORRECT, Fault::pin},
      {CKR_PIN_LOCKED, Fault::pin},
      {CKR_MECHANISM_INVALID, Fault::configuration},
      {CKR_KEY_TYPE_INCONSISTENT, Fault::configuration},
      {CKR_KEY_FUNCTION_NOT_PERMITTED, Fault::configuration},
      {CKR_CRYPTOKI_NOT_INITIALIZED, Fault::not_initialized},
      {CKR_DEVICE_ERROR, Fault::unknown},
      {CKR_GENERAL_ERROR, Fault::unknown},
      {CKR_FUNCTION_FAILED, Fault::unknown},
      {CKR_VENDOR_DEFINED + 5, Fault::unknown},
  };
  for (const auto& [rv, fault] : table) {
    EXPECT_EQ(classify(rv), fault) << ckr_name(rv);
  }
}

/// docs/hsm-recovery.md has a row for each code that has a name, and no other.
TEST(Ckr, TheManualSaysWhatIsDone) {
  const std::string manual = read_file(ESTIA_HSM_MANUAL);
  std::string rows;
  for (CK_RV rv = 1; rv <= 0x210; ++rv) {
    const std::string name = ckr_name(rv);
    if (name.starts_with("CKR_?")) {
      continue;
    }
    const std::size_t space = name.find(' ');
    rows += "| " + name.substr(0, space) + " | " + name.substr(space + 2, name.size() - space - 3) +
            " | " + std::string(to_string(classify(rv))) + " | " +
            std::string(to_string(remedy(classify(rv)))) + " | 503 |\n";
    EXPECT_EQ(token_error(rv, "C_Sign").code(), ErrorCode::token) << "which is 503: http_tests";
  }
  const std::size_t begin = manual.find("| CKR_");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(manual.substr(begin), rows);
}

TEST(Ckr, EveryFaultHasItsRemedy) {
  const std::vector<std::pair<Fault, Remedy>> table = {
      {Fault::session_lost, Remedy::new_session},
      {Fault::stale_handle, Remedy::new_login},
      {Fault::login_lost, Remedy::new_login},
      {Fault::gone, Remedy::restart_module},
      {Fault::not_initialized, Remedy::restart_module},
      {Fault::exhausted, Remedy::wait},
      {Fault::pin, Remedy::operator_only},
      {Fault::configuration, Remedy::refuse},
      {Fault::unknown, Remedy::look},
  };
  for (const auto& [fault, expected] : table) {
    EXPECT_EQ(remedy(fault), expected) << to_string(fault);
  }
}

TEST(Ckr, ErrorsNameFunctionAndCodeForTheLogOnly) {
  const Error error = token_error(CKR_DEVICE_ERROR, "C_Sign");
  EXPECT_EQ(error.code(), ErrorCode::token);
  EXPECT_EQ(error.id(), "token.failed");
  EXPECT_EQ(error.detail(), "C_Sign: CKR_DEVICE_ERROR (0x30)");
  EXPECT_EQ(std::string(error.what()).find("CKR"), std::string::npos);
}

TEST(Ckr, EachFaultHasItsId) {
  const std::vector<std::pair<CK_RV, std::string>> table = {
      {CKR_SESSION_CLOSED, "token.session_lost"},
      {CKR_KEY_HANDLE_INVALID, "token.handle_stale"},
      {CKR_TOKEN_NOT_PRESENT, "token.gone"},
      {CKR_HOST_MEMORY, "token.exhausted"},
      {CKR_USER_NOT_LOGGED_IN, "token.login_lost"},
      {CKR_PIN_INCORRECT, "token.pin_incorrect"},
      {CKR_MECHANISM_INVALID, "token.unsupported"},
      {CKR_CRYPTOKI_NOT_INITIALIZED, "token.not_initialized"},
      {CKR_GENERAL_ERROR, "token.failed"},
  };
  for (const auto& [rv, id] : table) {
    EXPECT_EQ(token_error(rv, "C_Sign").id(), id);
  }
}

TEST(Ckr, ACodeThatOlderHeadersLackHasItsNameToo) {
  EXPECT_EQ(ckr_name(0x202), "CKR_OPERATION_CANCEL_FAILED (0x202)");
}

TEST(Ckr, UnknownCodesKeepTheirNumber) {
  EXPECT_EQ(ckr_name(0x80001234UL), "CKR_? (0x80001234)");
}

TEST(Ckr, OkIsNoError) {
  EXPECT_NO_THROW(check(CKR_OK, "C_Sign"));
  EXPECT_THROW(check(CKR_CANCEL, "C_Sign"), Error);
}

}  // namespace
}  // namespace estia::hsm
