// SPDX-License-Identifier: Apache-2.0
#include "hsm/faults/functions.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace estia::hsm::faults {
namespace {

std::vector<std::size_t>& called() {
  static std::vector<std::size_t> indices;
  return indices;
}

struct Recorder {
  template <std::size_t Index, auto Member, class... Arguments>
  static CK_RV call(Arguments...) {
    called().push_back(Index);
    return CKR_OK;
  }
};

CK_RV finalize(void*) {
  return CKR_GENERAL_ERROR;
}

TEST(Functions, NamesAreThoseOfTheListOnceEach) {
  const std::set<std::string> names(kFunctionNames.begin(), kFunctionNames.end());
  EXPECT_EQ(names.size(), 68U);
  EXPECT_EQ(find_function("C_Sign"), function_index("C_Sign"));
  EXPECT_EQ(find_function("C_GetInterface"), std::nullopt);
  EXPECT_EQ(find_function("*"), std::nullopt);
}

/// Whatever lies at a place of the list is called by that place's name.
TEST(Functions, EveryPlaceOfTheListGetsItsOwnThunk) {
  std::array<void*, 1 + kFunctionNames.size()> places{};
  places.fill(reinterpret_cast<void*>(&finalize));
  auto& list = reinterpret_cast<CK_FUNCTION_LIST&>(places);
  interpose<Recorder>(list);
  const std::set<void*> different(places.begin() + 1, places.end());
  EXPECT_EQ(different.size(), kFunctionNames.size());
  EXPECT_EQ(list.C_Finalize(nullptr), CKR_OK);
  EXPECT_EQ(list.C_WaitForSlotEvent(0, nullptr, nullptr), CKR_OK);
  EXPECT_EQ(called(), (std::vector<std::size_t>{1, 67}));
}

TEST(Functions, WhatAModuleLacksStaysMissing) {
  CK_FUNCTION_LIST list{};
  list.C_Finalize = finalize;
  interpose<Recorder>(list);
  EXPECT_EQ(list.C_Initialize, nullptr);
  EXPECT_EQ(list.C_Sign, nullptr);
  EXPECT_NE(list.C_Finalize, &finalize);
}

}  // namespace
}  // namespace estia::hsm::faults
