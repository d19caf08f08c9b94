// SPDX-License-Identifier: Apache-2.0
// What tokens may wrap, by software keys and DER written by hand: SoftHSM gives one form only.
#include "hsm/exported_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/keys/private_key.h"
#include "tests/support/pkcs8.h"
#include "tests/support/refusal.h"
#include "tests/support/software_keys.h"

namespace estia::hsm {
namespace {

using test::refusal;
using test::software_key;
using test::usual_pkcs8;

/// The parts of a PrivateKeyInfo, to be put together in other ways.
struct Parts {
  Bytes algorithm;  // whole TLV
  Bytes key;        // value of the OCTET STRING
};

ByteView inside(ByteView der) {
  return der::read(der).value;
}

Parts parts_of(const Bytes& pkcs8) {
  ByteView content = inside(pkcs8);
  static_cast<void>(der::read(content));
  const ByteView algorithm = der::read(content).whole;
  const ByteView key = der::read(content).value;
  return {{algorithm.begin(), algorithm.end()}, {key.begin(), key.end()}};
}

Bytes info(ByteView algorithm, ByteView key, std::uint32_t version = 0, const Bytes& more = {}) {
  return der::sequence({der::small_integer(version), algorithm, der::octet_string(key), more});
}

/// The scalar of OpenSSL's ECPrivateKey.
Bytes scalar_of(const Parts& parts) {
  ByteView content = inside(parts.key);
  static_cast<void>(der::read(content));
  const ByteView scalar = der::read(content).value;
  return {scalar.begin(), scalar.end()};
}

Bytes ec_key(const Bytes& scalar, const Bytes& parameters = {}, const Bytes& point = {}) {
  return der::sequence({der::small_integer(1), der::octet_string(scalar), parameters, point});
}

class ExportedKey : public ::testing::Test {
 protected:
  void SetUp() override { open_secure_heap(std::size_t{1} << 20U); }

  static Bytes exact(const Bytes& exported, const crypto::PrivateKey& key) {
    const SecureBytes made = exact_pkcs8(exported, key.public_key());
    return {made.view().begin(), made.view().end()};
  }
  static std::string refused(const Bytes& exported, const crypto::PrivateKey& key) {
    return refusal([&] { static_cast<void>(exact_pkcs8(exported, key.public_key())); });
  }
  static Bytes with_tail(Bytes bytes, std::size_t size, std::uint8_t byte) {
    bytes.insert(bytes.end(), size, byte);
    return bytes;
  }

  static constexpr const char* kMalformed = "token token.wrap_malformed";
  static constexpr const char* kMismatch = "token token.wrap_mismatch";
};

TEST_F(ExportedKey, IsWhatOpenSslWritesForEveryKind) {
  for (const char* kind :
       {"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "Ed25519"}) {
    const auto key = software_key(kind);
    EXPECT_EQ(exact(usual_pkcs8(key), key), usual_pkcs8(key)) << kind;
  }
}

TEST_F(ExportedKey, GetsTheFormOfOpenSslWhateverTheTokenLeavesOut) {
  for (const char* kind : {"P-256", "P-384", "P-521"}) {
    const auto key = software_key(kind);
    const Parts parts = parts_of(usual_pkcs8(key));
    const Bytes scalar = scalar_of(parts);
    Bytes longer = scalar;
    longer.insert(longer.begin(), 0);
    const Bytes curve = der::tlv(0xA0, der::oid(key.public_key().spec()->curve_oid));
    for (const Bytes& form : {ec_key(scalar), ec_key(longer), ec_key(scalar, curve)}) {
      EXPECT_EQ(exact(info(parts.algorithm, form), key), usual_pkcs8(key)) << kind;
    }
  }
}

TEST_F(ExportedKey, NumbersWithZerosInFrontKeepTheirLength) {
  // A scalar of 31 bytes is one key in 256.
  for (;;) {
    const auto key = crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
    const Parts parts = parts_of(usual_pkcs8(key));
    const Bytes scalar = scalar_of(parts);
    if (scalar.front() != 0) {
      continue;
    }
    const Bytes shorter(scalar.begin() + 1, scalar.end());
    EXPECT_EQ(exact(info(parts.algorithm, ec_key(scalar)), key), usual_pkcs8(key));
    EXPECT_EQ(exact(info(parts.algorithm, ec_key(shorter)), key), usual_pkcs8(key));
    return;
  }
}

TEST_F(ExportedKey, LosesPaddingOfUnderEightZerosAndNothingElse) {
  for (const char* kind : {"P-256", "RSA-2048", "Ed25519"}) {
    const auto key = software_key(kind);
    EXPECT_EQ(exact(with_tail(usual_pkcs8(key), 7, 0), key), usual_pkcs8(key));
    EXPECT_EQ(refused(with_tail(usual_pkcs8(key), 8, 0), key), kMalformed);
    EXPECT_EQ(refused(with_tail(usual_pkcs8(key), 1, 1), key), kMalformed);
    Bytes late = with_tail(usual_pkcs8(key), 7, 0);
    late.back() = 0x80;
    EXPECT_EQ(refused(late, key), kMalformed);
  }
}

TEST_F(ExportedKey, OtherStructuresAreRefused) {
  const auto key = software_key("P-256");
  const Bytes good = usual_pkcs8(key);
  const Parts parts = parts_of(good);
  const Bytes scalar = scalar_of(parts);
  const Bytes attribute = der::tlv(0xA0, {});
  EXPECT_EQ(refused({}, key), kMalformed);
  EXPECT_EQ(refused(Bytes(good.begin(), good.end() - 1), key), kMalformed);
  EXPECT_EQ(refused(info(parts.algorithm, parts.key, 1), key), kMalformed);
  EXPECT_EQ(refused(info(parts.algorithm, parts.key, 0, attribute), key), kMalformed);
  EXPECT_EQ(refused(info(parts.algorithm, with_tail(parts.key, 1, 0)), key), kMalformed);
  EXPECT_EQ(refused(info(parts.algorithm, scalar), key), kMalformed);
  EXPECT_EQ(refused(info(parts.algorithm, ec_key(scalar, {}, der::null())), key), kMalformed);
  EXPECT_EQ(refused(key.public_key().spki(), key), kMalformed);
  const auto rsa = software_key("RSA-2048");
  const Parts rsa_parts = parts_of(usual_pkcs8(rsa));
  EXPECT_EQ(refused(info(rsa_parts.algorithm, with_tail(rsa_parts.key, 1, 0)), rsa), kMalformed);
  EXPECT_EQ(refused(info(rsa_parts.algorithm, der::sequence({der::small_integer(0)})), rsa),
            kMalformed);
}

TEST_F(ExportedKey, AnotherKeyIsRefused) {
  const auto other = [](const char* kind) {
    return crypto::PrivateKey::generate_software(crypto::KeySpec::parse(kind));
  };
  for (const char* kind : {"P-256", "P-384", "P-521", "RSA-2048", "Ed25519"}) {
    EXPECT_EQ(refused(usual_pkcs8(other(kind)), software_key(kind)), kMismatch) << kind;
  }
  EXPECT_EQ(refused(usual_pkcs8(software_key("P-256")), software_key("P-384")), kMismatch);
  EXPECT_EQ(refused(usual_pkcs8(software_key("RSA-2048")), software_key("P-256")), kMismatch);
}

TEST_F(ExportedKey, ScalarsOutOfRangeAndForeignPartsAreRefused) {
  const auto key = software_key("P-256");
  const Parts parts = parts_of(usual_pkcs8(key));
  const Bytes scalar = scalar_of(parts);
  const Bytes foreign_curve = der::tlv(0xA0, der::oid("1.3.132.0.34"));
  Bytes point = software_key("P-384").public_key().spki();
  const auto with = [&](const Bytes& form) { return refused(info(parts.algorithm, form), key); };
  EXPECT_EQ(with(ec_key({})), kMismatch);
  EXPECT_EQ(with(ec_key(Bytes(32))), kMismatch);
  EXPECT_EQ(with(ec_key(Bytes(32, 0xFF))), kMismatch);
  EXPECT_EQ(with(ec_key(Bytes(33, 0x01))), kMismatch);
  EXPECT_EQ(with(ec_key(scalar, foreign_curve)), kMismatch);
  EXPECT_EQ(with(ec_key(scalar, {}, der::tlv(0xA1, der::bit_string(point)))), kMismatch);
}

/// Each of RSA's eight numbers, wrong by one bit.
TEST_F(ExportedKey, RsaNumbersThatDoNotFitAreRefused) {
  const auto key = software_key("RSA-2048");
  const Parts parts = parts_of(usual_pkcs8(key));
  ByteView content = inside(parts.key);
  std::vector<Bytes> numbers;
  while (!content.empty()) {
    const ByteView whole = der::read(content).whole;
    numbers.emplace_back(whole.begin(), whole.end());
  }
  ASSERT_EQ(numbers.size(), 9U);
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    std::vector<Bytes> changed = numbers;
    changed[i].back() ^= 0x02U;
    Bytes body;
    for (const Bytes& number : changed) {
      body.insert(body.end(), number.begin(), number.end());
    }
    EXPECT_EQ(refused(info(parts.algorithm, der::tlv(0x30, body)), key), kMismatch) << i;
  }
}

TEST_F(ExportedKey, RsaNumbersInOtherSpellingsAreRefused) {
  const auto key = software_key("RSA-2048");
  const Parts parts = parts_of(usual_pkcs8(key));
  ByteView content = inside(parts.key);
  Bytes body;
  while (!content.empty()) {
    const Bytes longer = [&] {  // a zero more in front
      const ByteView value = der::read(content).value;
      Bytes padded(value.begin(), value.end());
      padded.insert(padded.begin(), 0);
      return der::tlv(0x02, padded);
    }();
    body.insert(body.end(), longer.begin(), longer.end());
  }
  EXPECT_EQ(refused(info(parts.algorithm, der::tlv(0x30, body)), key), kMalformed);
}

TEST_F(ExportedKey, EveryTruncationIsRefused) {
  for (const char* kind : {"P-256", "RSA-2048", "Ed25519"}) {
    const auto key = software_key(kind);
    const Bytes good = usual_pkcs8(key);
    for (std::size_t size = 0; size < good.size(); ++size) {
      EXPECT_EQ(refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), key),
                kMalformed)
          << kind << " " << size;
    }
  }
}

}  // namespace
}  // namespace estia::hsm
