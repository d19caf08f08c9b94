// SPDX-License-Identifier: Apache-2.0
// Every reading of a wrapped key, against OpenSSL's own wrapping.
#include "hsm/wrap_mechanism.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/support/refusal.h"
#include "tests/token/aes_wrapping.h"

namespace estia::hsm {
namespace {

using test::encrypt;
using test::refusal;
using test::wrap;

constexpr const char* kRefused = "token token.wrap_failed";

constexpr std::array kReadings = {WrapReading::rfc5649, WrapReading::rfc3394_pkcs7,
                                  WrapReading::cbc_pkcs7};

class Unwrap : public ::testing::Test {
 protected:
  void SetUp() override { open_secure_heap(std::size_t{1} << 20U); }

  [[nodiscard]] Bytes plain_of(WrapReading reading, const Bytes& wrapped) const {
    const SecureBytes plain = unwrap(reading, key_, iv_, wrapped);
    return {plain.view().begin(), plain.view().end()};
  }
  [[nodiscard]] std::string refused(WrapReading reading, const Bytes& wrapped) const {
    return refusal([&] { static_cast<void>(plain_of(reading, wrapped)); });
  }

  const Bytes key_ = Bytes(32, 0x42);
  const Bytes iv_ = Bytes(kWrapIvSize, 0x17);
};

TEST_F(Unwrap, GivesBackEveryLength) {
  for (const WrapReading reading : kReadings) {
    for (std::size_t size = 17; size < 50; ++size) {
      const Bytes plain(size, 0xC3);
      EXPECT_EQ(plain_of(reading, wrap(reading, key_, iv_, plain)), plain) << size;
    }
  }
}

TEST_F(Unwrap, ReadingsWithIntegrityTakeNothingElse) {
  const Bytes plain(67, 0xC3);
  for (const WrapReading wrapped_by : kReadings) {
    const Bytes wrapped = wrap(wrapped_by, key_, iv_, plain);
    for (const WrapReading reading : {WrapReading::rfc5649, WrapReading::rfc3394_pkcs7}) {
      if (reading != wrapped_by) {
        EXPECT_EQ(refused(reading, wrapped), kRefused);
      }
    }
  }
}

TEST_F(Unwrap, AnyChangedBitIsSeen) {
  for (const WrapReading reading : {WrapReading::rfc5649, WrapReading::rfc3394_pkcs7}) {
    const Bytes wrapped = wrap(reading, key_, iv_, Bytes(67, 0xC3));
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
      Bytes changed = wrapped;
      changed[i] ^= 0x10U;
      EXPECT_EQ(refused(reading, changed), kRefused) << i;
    }
  }
}

TEST_F(Unwrap, WrongPaddingIsRefused) {
  // 0 and 9 are no padding of 8 bytes; the third is uneven.
  for (const Bytes& end : {Bytes{1, 2, 3, 4, 5, 6, 7, 0}, Bytes{9, 9, 9, 9, 9, 9, 9, 9},
                           Bytes{1, 2, 3, 4, 5, 6, 2, 3}}) {
    Bytes plain(16, 0x55);
    plain.insert(plain.end(), end.begin(), end.end());
    EXPECT_EQ(refused(WrapReading::rfc3394_pkcs7, encrypt("AES-256-WRAP", key_, nullptr, plain)),
              kRefused);
  }
}

TEST_F(Unwrap, ImpossibleLengthsAreRefusedUnread) {
  for (const WrapReading reading : kReadings) {
    for (const std::size_t size : {0U, 8U, 17U, 25U, 1U << 20U}) {
      EXPECT_EQ(refused(reading, Bytes(size)), kRefused) << size;
    }
  }
}

TEST_F(Unwrap, KeysAndVectorsOfOtherLengthsAreRefused) {
  const Bytes wrapped = wrap(WrapReading::cbc_pkcs7, key_, iv_, Bytes(40));
  const auto with = [&](const Bytes& key, const Bytes& iv) {
    return refusal([&] { static_cast<void>(unwrap(WrapReading::cbc_pkcs7, key, iv, wrapped)); });
  };
  EXPECT_EQ(with(Bytes(16), iv_), kRefused);
  EXPECT_EQ(with(key_, Bytes(8)), kRefused);
  EXPECT_EQ(with(key_, iv_), "none");
}

TEST_F(Unwrap, TheBestMechanismIsTriedFirst) {
  const auto known = WrapMechanism::known();
  ASSERT_EQ(known.size(), 4U);
  EXPECT_EQ(known.front().type, 0x210BU);
  EXPECT_EQ(known.back().reading, WrapReading::cbc_pkcs7);
}

}  // namespace
}  // namespace estia::hsm
