// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/order.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "crypto/base/file.h"
#include "hsm/faults/words.h"
#include "tests/support/paths.h"

namespace estia::hsm::faults {
namespace {

std::string reread(const std::string& line) {
  const Order order = parse_order(line);
  const Rule* rule = std::get_if<Rule>(&order);
  return rule == nullptr ? "not a rule" : text(*rule);
}

std::string refusal_of(const std::string& line) {
  try {
    static_cast<void>(parse_order(line));
  } catch (const OrderError& error) {
    return error.what();
  }
  return "";
}

/// What is left out has its documented value, and what is written is read back as it was.
TEST(Orders, RulesAreWrittenAsTheOrdersThatMakeThem) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"fail C_Sign CKR_DEVICE_ERROR", "fail C_Sign CKR_DEVICE_ERROR count=1"},
      {"fail * 0x30 count=for-ever", "fail * CKR_DEVICE_ERROR count=for-ever"},
      {"fail C_Login 0x80000001 when=after skip=2 count=3",
       "fail C_Login 0x80000001 when=after skip=2 count=3"},
      {"fail C_Sign CKR_OK every=4 one-in=2 when=before",
       "fail C_Sign CKR_OK count=1 every=4 one-in=2"},
      {"delay * 250", "delay * 250 count=for-ever"},
      {"delay C_Sign 250 count=2 when=after", "delay C_Sign 250 when=after count=2"},
      {"hang C_WaitForSlotEvent", "hang C_WaitForSlotEvent count=for-ever"},
      {"corrupt-signature one-in=100", "corrupt-signature count=for-ever one-in=100"},
      {"sign-with-other id=01aF", "sign-with-other id=01af count=for-ever"},
      {"sign-with-other \"label=issuing ca\" count=1",
       "sign-with-other \"label=issuing ca\" count=1"},
      {"sign-with-other label=\"issuing ca\" id=02",
       "sign-with-other id=02 \"label=issuing ca\" count=for-ever"},
  };
  for (const auto& [line, written] : table) {
    EXPECT_EQ(reread(line), written) << line;
    EXPECT_EQ(reread(written), written);
  }
}

TEST(Orders, EveryFunctionCanBeNamed) {
  for (const char* name : kFunctionNames) {
    EXPECT_EQ(reread(std::string("hang ") + name), std::string("hang ") + name + " count=for-ever");
  }
}

TEST(Orders, OthersAreRead) {
  EXPECT_EQ(std::get<SessionCap>(parse_order("session-cap 4")).limit, 4U);
  EXPECT_FALSE(std::get<SessionCap>(parse_order("session-cap 4")).told);
  EXPECT_TRUE(std::get<SessionCap>(parse_order("session-cap 0 told")).told);
  EXPECT_EQ(std::get<SessionCap>(parse_order("session-cap none")).limit, std::nullopt);
  EXPECT_EQ(std::get<Release>(parse_order("release")).function, kEveryFunction);
  EXPECT_EQ(std::get<Clear>(parse_order("clear C_Sign")).function, function_index("C_Sign"));
  EXPECT_TRUE(std::holds_alternative<Hold>(parse_order("  hold  # and a comment")));
  EXPECT_TRUE(std::holds_alternative<Resume>(parse_order("resume\r")));
  EXPECT_EQ(std::get<RealCall>(parse_order("real C_Logout")), RealCall::logout);
  EXPECT_EQ(std::get<Count>(parse_order("count")).function, kEveryFunction);
  EXPECT_EQ(std::get<Wait>(parse_order("wait C_Sign 2")).in_flight, 2U);
  EXPECT_TRUE(std::holds_alternative<Status>(parse_order("status")));
}

TEST(Orders, WhatIsNotUnderstoodIsRefusedByItsWord) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "an order is missing"},
      {"# fail C_Sign 0x30", "an order is missing"},
      {"explode", "there is no order explode"},
      {"Fail C_Sign 0x30", "there is no order Fail"},
      {"fail", "a function is missing"},
      {"fail C_Sing 0x30", "PKCS #11 2.40 has no function C_Sing"},
      {"fail C_GetInterface 0x30", "PKCS #11 2.40 has no function C_GetInterface"},
      {"fail C_Sign", "a return code is missing"},
      {"fail C_Sign skip=1", "neither a return code of PKCS #11 nor a number like 0x30: skip=1"},
      {"fail C_Sign 0x30 often", "not understood: often"},
      {"fail C_Sign 0x30 count=0", "not a number from 1: 0"},
      {"fail C_Sign 0x30 count=forever", "not a number from 1: forever"},
      {"fail C_Sign 0x30 every=0", "not a number from 1: 0"},
      {"fail C_Sign 0x30 one-in=0", "not a number from 1: 0"},
      {"fail C_Sign 0x30 skip=-1", "not a number from 0: -1"},
      {"fail C_Sign 0x30 skip=18446744073709551616", "not a number from 0: 18446744073709551616"},
      {"fail C_Sign 0x30 when=during", "neither before nor after: during"},
      {"fail C_Sign 0x30 id=01", "not understood: id=01"},
      {"delay C_Sign", "a number of milliseconds is missing"},
      {"delay C_Sign 1.5", "not a number from 0: 1.5"},
      {"delay C_Sign 86400001", "not a number from 0: 86400001"},
      {"hang C_Sign 5", "not understood: 5"},
      {"corrupt-signature when=after", "not understood: when=after"},
      {"sign-with-other", "which key? id=HEX or label=TEXT is missing"},
      {"sign-with-other id=1", "not an id in hexadecimal digits: 1"},
      {"sign-with-other id=0x", "not an id in hexadecimal digits: 0x"},
      {"sign-with-other label=", "not understood: label="},
      {"sign-with-other \"label=a", "a double quote is missing"},
      {"session-cap", "a number of sessions, or none, is missing"},
      {"session-cap four", "not a number from 0: four"},
      {"session-cap 4 secretly", "not understood: secretly"},
      {"session-cap none told", "not understood: told"},
      {"hold on", "not understood: on"},
      {"real C_Sign", "only C_CloseAllSessions, C_Logout and C_Finalize can be called, not C_Sign"},
      {"wait * 1", "one function is waited for, not *"},
      {"wait C_Sign 0", "not a number from 1: 0"},
      {"count C_Sign C_Login", "not understood: C_Login"},
      {"status now", "not understood: now"},
  };
  for (const auto& [line, reason] : table) {
    EXPECT_EQ(refusal_of(line), reason) << line;
  }
}

/// docs/fault-injection.md shows each kind of order, and what it shows is understood.
TEST(Orders, TheDocumentsExamplesAreUnderstood) {
  std::istringstream document(read_file(test::source_directory() / "docs" / "fault-injection.md"));
  constexpr std::string_view kTool = "estia-p11-faults ";
  std::set<std::size_t> orders;
  std::set<Kind> kinds;
  for (std::string line; std::getline(document, line);) {
    if (!line.starts_with(kTool)) {
      continue;
    }
    EXPECT_EQ(refusal_of(line.substr(kTool.size())), "") << line;
    const Order order = parse_order(line.substr(kTool.size()));
    orders.insert(order.index());
    if (const Rule* rule = std::get_if<Rule>(&order)) {
      kinds.insert(rule->kind);
    }
  }
  EXPECT_EQ(orders.size(), std::variant_size_v<Order>);
  EXPECT_EQ(kinds.size(), 5U);
}

TEST(Orders, QuotedWordsAreReadBack) {
  for (const std::string word : {"plain", "two words", "", "#5", "tab\tbed"}) {
    EXPECT_EQ(split_words(quoted_word(word) + " end"), (std::vector<std::string>{word, "end"}));
  }
}

}  // namespace
}  // namespace estia::hsm::faults
