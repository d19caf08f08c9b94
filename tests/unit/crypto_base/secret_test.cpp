// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <type_traits>

#include "crypto/base/error.h"
#include "crypto/base/random.h"

namespace estia {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!Printable<Secret>, "a secret must not reach a log by accident");
static_assert(!std::is_convertible_v<Secret, std::string_view>);

TEST(Secret, MovesAndClonesKeepTheValue) {
  Secret first("1234");
  Secret second(std::move(first));
  EXPECT_EQ(second.text(), "1234");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the promise under test
  Secret third("other");
  third = std::move(second);
  EXPECT_EQ(third.text(), "1234");
  const Secret copy = third.clone();
  EXPECT_EQ(copy.text(), third.text());
  EXPECT_NE(copy.view().data(), third.view().data());
}

TEST(Secret, AssigningToItselfKeepsTheValue) {
  Secret secret("1234");
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.text(), "1234");
}

TEST(Secret, CleanseWipesWhereItStands) {
  Bytes bytes{1, 2, 3};
  std::string text = "pin";
  cleanse(bytes);
  cleanse(text);
  EXPECT_EQ(bytes, Bytes(3));
  EXPECT_EQ(text, std::string(3, '\0'));
}

TEST(Random, FillsEveryByteAndDiffers) {
  Bytes seen(1000);
  for (int round = 0; round < 10; ++round) {
    Bytes bytes(1000);
    random_fill(bytes);
    std::transform(bytes.begin(), bytes.end(), seen.begin(), seen.begin(),
                   [](auto a, auto b) { return static_cast<std::uint8_t>(a | b); });
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0) << "a byte was never written";
  EXPECT_NO_THROW(random_fill({}));
}

TEST(Random, TextIsUrlSafeUnpaddedAndOfTheLengthAskedFor) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string text = random_text(128);
    EXPECT_EQ(text.size(), 22U);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos) << text;
    EXPECT_TRUE(seen.insert(text).second);
  }
  EXPECT_EQ(random_text(192).size(), 32U);
}

TEST(Error, SpeaksInTwoVoices) {
  const Error error(ErrorCode::token, "token.gone", "try later", "CKR_DEVICE_REMOVED");
  EXPECT_STREQ(error.what(), "try later");
  EXPECT_EQ(error.detail(), "CKR_DEVICE_REMOVED");
  EXPECT_EQ(error.id(), "token.gone");
  EXPECT_EQ(to_string(error.code()), "token");
}

TEST(Error, EveryCategoryHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    names.insert(to_string(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::internal) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Cleanse, AppendingKeepsWhatWasThere) {
  std::string text = "1234";
  const std::string more(1000, 'x');
  append_secret(text, more);
  EXPECT_EQ(text, "1234" + more);
  append_secret(text, "");
  append_secret(text, "5");
  EXPECT_EQ(text, "1234" + more + "5");
}

}  // namespace
}  // namespace estia
