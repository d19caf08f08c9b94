// SPDX-License-Identifier: Apache-2.0
#include "server/ca/changed_names.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "tests/support/certificates.h"
#include "tests/support/new_names_request.h"
#include "tests/support/software_keys.h"

namespace estia::ca {
namespace {

std::optional<RequestedWish> wish_of(const Bytes& value) {
  return changed_names(crypto::Csr::parse(
      test::csr_for_new_names(test::software_key("P-256"), "CN=old", {"dns:old.example"}, value)));
}

TEST(ChangedNames, WithoutTheAttributeThereIsNoWish) {
  EXPECT_FALSE(
      changed_names(crypto::Csr::parse(test::make_csr_der(test::software_key("P-256"), "CN=old"))));
}

TEST(ChangedNames, WhatIsAbsentBecomesEmptyAndIsNotKept_CSN_7_1_b) {
  const auto both = wish_of(test::new_names("CN=new", {"dns:new.example"}));
  ASSERT_TRUE(both);
  EXPECT_EQ(both->subject.text(), "CN=new");
  EXPECT_EQ(both->san.names().size(), 1U);
  const auto subject = wish_of(test::new_names("CN=new"));
  ASSERT_TRUE(subject);
  EXPECT_TRUE(subject->san.empty());
  const auto san = wish_of(test::new_names(std::nullopt, {"dns:new.example"}));
  ASSERT_TRUE(san);
  EXPECT_TRUE(san->subject.empty());
}

TEST(ChangedNames, AnEmptyAttributeIsAMistake) {
  try {
    static_cast<void>(wish_of(der::sequence({})));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), "change_subject.empty");
    EXPECT_EQ(error.code(), ErrorCode::malformed);
  }
}

}  // namespace
}  // namespace estia::ca
