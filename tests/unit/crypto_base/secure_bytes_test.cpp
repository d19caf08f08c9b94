// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secure_bytes.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <vector>

#include "tests/support/refusal.h"

namespace estia {
namespace {

constexpr std::size_t kHeap = 1U << 20U;

class SecureBytesTest : public ::testing::Test {
 protected:
  void SetUp() override { open_secure_heap(kHeap); }
};

TEST_F(SecureBytesTest, LiveInTheSecureHeapAndStartAsZeros) {
  SecureBytes bytes(100);
  EXPECT_EQ(::CRYPTO_secure_allocated(bytes.data()), 1);
  EXPECT_EQ(bytes.size(), 100U);
  EXPECT_TRUE(std::ranges::all_of(bytes.view(), [](auto byte) { return byte == 0; }));
}

TEST_F(SecureBytesTest, GiveBackWhatTheyTook) {
  const std::size_t before = ::CRYPTO_secure_used();
  {
    SecureBytes first(1000);
    SecureBytes second(std::move(first));
    SecureBytes third(10);
    third = std::move(second);
    EXPECT_EQ(third.size(), 1000U);
    EXPECT_GT(::CRYPTO_secure_used(), before);
  }
  EXPECT_EQ(::CRYPTO_secure_used(), before);
}

TEST_F(SecureBytesTest, ShrinkingWipesTheTail) {
  SecureBytes bytes(64);
  std::ranges::fill(bytes.span(), std::uint8_t{0xAB});
  const std::uint8_t* tail = bytes.data() + 16;
  bytes.shrink(16);
  EXPECT_EQ(bytes.size(), 16U);
  EXPECT_TRUE(std::all_of(tail, tail + 48, [](auto byte) { return byte == 0; }));
  EXPECT_TRUE(std::ranges::all_of(bytes.view(), [](auto byte) { return byte == 0xAB; }));
}

TEST_F(SecureBytesTest, AFullHeapIsARefusalAndNeverOrdinaryMemory) {
  std::vector<SecureBytes> all;
  EXPECT_EQ(test::refusal([&] {
              for (;;) {
                all.emplace_back(64U << 10U);
              }
            }),
            "busy secure_heap.full");
  EXPECT_GE(all.size(), 8U);
  all.clear();
  EXPECT_NO_THROW(SecureBytes(64U << 10U));
}

}  // namespace
}  // namespace estia
