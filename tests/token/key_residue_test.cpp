// SPDX-License-Identifier: Apache-2.0
// What stays in memory of a key that was made for a client. SoftHSM runs in this process, too, so
// its own copies are looked for as well.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/base/der.h"
#include "crypto/base/secret.h"
#include "hsm/server_keys.h"
#include "tests/support/memory_scan.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {
namespace {

using test::look_for;
using test::Needle;
using test::Sightings;

constexpr std::size_t kPiece = 18;  // a part copied is a part lost

/// The values of the elements at the front of `content`, `first` of them left out.
std::vector<ByteView> values(ByteView content, std::size_t first) {
  std::vector<ByteView> found;
  while (!content.empty()) {
    found.push_back(der::read(content).value);
  }
  found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(first));
  return found;
}

/// The private numbers of a PrivateKeyInfo.
std::vector<ByteView> secrets_of(ByteView pkcs8, bool rsa) {
  ByteView info = values(pkcs8, 0).front();
  ByteView key = values(info, 2).front();
  std::vector<ByteView> numbers = values(values(key, 0).front(), rsa ? 3 : 1);
  if (!rsa) {
    numbers.resize(1);  // the public key follows
  }
  return numbers;
}

/// A piece of each, as it may lie in memory.
std::vector<Needle> needles_of(ByteView pkcs8, bool rsa) {
  std::vector<Needle> needles;
  for (const ByteView number : secrets_of(pkcs8, rsa)) {
    const ByteView piece = number.subspan(number.size() / 2 - kPiece / 2, kPiece);
    needles.emplace_back(piece);
    needles.push_back(Needle::reversed(piece));
    const auto at = static_cast<std::size_t>(piece.data() - pkcs8.data());
    needles.push_back(Needle::in_base64(pkcs8, at, piece.size()));
  }
  return needles;
}

Sightings look_for_all(const std::vector<Needle>& needles) {
  Sightings all;
  for (const Needle& needle : needles) {
    const Sightings one = look_for(needle);
    all.secure_heap += one.secure_heap;
    all.elsewhere += one.elsewhere;
  }
  return all;
}

class KeyResidue : public TokenTest {
 protected:
  void expect_none(const std::string& kind) {
    open_secure_heap(std::size_t{1} << 20U);
    const auto token = open();
    const SystemClock clock;
    ServerKeys keys(*token, {}, clock);
    GeneratedKey key = keys.generate(spec(kind));
    const bool rsa = kind.starts_with("RSA");
    const std::vector<Needle> needles = needles_of(key.pkcs8.view(), rsa);
    const std::size_t numbers = rsa ? 6 : 1;
    ASSERT_EQ(needles.size(), 3 * numbers);

    const Sightings held = look_for_all(needles);
    EXPECT_EQ(held.secure_heap, numbers) << "each where it must be, once";
    EXPECT_EQ(held.elsewhere, 0U);
    expect_seen_elsewhere(key.pkcs8.view(), needles, numbers);

    key.pkcs8 = SecureBytes();
    const Sightings gone = look_for_all(needles);
    EXPECT_EQ(gone.secure_heap, 0U);
    EXPECT_EQ(gone.elsewhere, 0U);
  }

  /// The search finds what somebody forgets.
  static void expect_seen_elsewhere(ByteView pkcs8, const std::vector<Needle>& needles,
                                    std::size_t numbers) {
    Bytes copy(pkcs8.begin(), pkcs8.end());
    EXPECT_EQ(look_for_all(needles).elsewhere, numbers);
    std::ranges::reverse(copy);
    EXPECT_EQ(look_for_all(needles).elsewhere, numbers);
    std::string text = base64_encode(pkcs8);
    EXPECT_EQ(look_for_all(needles).elsewhere, 2 * numbers);
    cleanse(copy);
    cleanse(text);
  }
};

TEST_F(KeyResidue, P256) {
  expect_none("P-256");
}
TEST_F(KeyResidue, P384) {
  expect_none("P-384");
}
TEST_F(KeyResidue, P521) {
  expect_none("P-521");
}
TEST_F(KeyResidue, Rsa2048) {
  expect_none("RSA-2048");
}

}  // namespace
}  // namespace estia::hsm
