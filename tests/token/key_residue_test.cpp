// SPDX-License-Identifier: Apache-2.0
// What stays in memory of a key that was made for a client. Best under AddressSanitizer, which
// keeps freed memory as it was.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "hsm/exported_key.h"
#include "hsm/server_keys.h"
#include "hsm/wrap_mechanism.h"
#include "tests/support/key_needles.h"
#include "tests/support/memory_scan.h"
#include "tests/support/pkcs8.h"
#include "tests/token/aes_wrapping.h"
#include "tests/token/token_test_base.h"

namespace estia::hsm {
namespace {

using test::kPiece;
using test::look_for;
using test::Needle;
using test::needles_of;
using test::Sightings;

Sightings look_for_all(const std::vector<Needle>& needles) {
  Sightings all;
  for (const Needle& needle : needles) {
    const Sightings one = look_for(needle);
    all.secure_heap += one.secure_heap;
    all.elsewhere += one.elsewhere;
  }
  return all;
}

/// A key that was made and wrapped in another process, as in a token that is not a part of ours.
struct FromElsewhere {
  static constexpr std::size_t kKeySize = 32;
  Bytes wrapping_key;
  Bytes spki;
  Bytes wrapped;
};

void write_all(int to, ByteView bytes) {
  const std::uint32_t size = static_cast<std::uint32_t>(bytes.size());
  if (::write(to, &size, sizeof size) != sizeof size ||
      ::write(to, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    ::_exit(1);
  }
}

Bytes read_all(int from) {
  std::uint32_t size = 0;
  EXPECT_EQ(::read(from, &size, sizeof size), static_cast<ssize_t>(sizeof size));
  Bytes bytes(size);
  EXPECT_EQ(::read(from, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

FromElsewhere make_elsewhere(const std::string& kind) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto key = crypto::PrivateKey::generate_software(spec(kind));
    Bytes wrapping_key(FromElsewhere::kKeySize);
    random_fill(wrapping_key);
    write_all(ends[1], wrapping_key);
    write_all(ends[1], key.public_key().spki());
    write_all(ends[1], test::wrap(WrapReading::rfc5649, wrapping_key, {}, test::usual_pkcs8(key)));
    ::_exit(0);
  }
  ::close(ends[1]);
  FromElsewhere made{read_all(ends[0]), read_all(ends[0]), read_all(ends[0])};
  ::close(ends[0]);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return made;
}

/// The search finds what somebody forgets.
void expect_seen_elsewhere(ByteView pkcs8, const std::vector<Needle>& needles,
                           std::size_t numbers) {
  Bytes copy(pkcs8.begin(), pkcs8.end());
  EXPECT_EQ(look_for_all(needles).elsewhere, numbers);
  std::ranges::reverse(copy);
  EXPECT_EQ(look_for_all(needles).elsewhere, numbers);
  cleanse(copy);
  std::string text = base64_encode(pkcs8);
  EXPECT_GE(look_for_all(needles).elsewhere, numbers);
  cleanse(text);
}

class KeyResidue : public ::testing::Test {
 protected:
  void SetUp() override { open_secure_heap(std::size_t{1} << 20U); }

  static void expect_none(const std::string& kind) {
    const bool rsa = kind.starts_with("RSA");
    const std::size_t numbers = rsa ? 2 : 1;
    const FromElsewhere made = make_elsewhere(kind);
    SecureBytes key = [&] {
      const SecureBytes exported =
          unwrap(WrapReading::rfc5649, made.wrapping_key, {}, made.wrapped);
      return exact_pkcs8(exported.view(), crypto::PublicKey::from_spki(made.spki));
    }();
    const std::vector<Needle> needles = needles_of(key.view(), rsa);
    ASSERT_EQ(needles.size(), 3 * numbers);
    const Sightings held = look_for_all(needles);
    EXPECT_EQ(held.secure_heap, numbers) << "each where it must be, once";
    EXPECT_EQ(held.elsewhere, 0U);

    key = SecureBytes();
    const Sightings gone = look_for_all(needles);
    EXPECT_EQ(gone.secure_heap, 0U);
    EXPECT_EQ(gone.elsewhere, 0U);
  }
};

TEST_F(KeyResidue, OfP256IsNone) {
  expect_none("P-256");
}
TEST_F(KeyResidue, OfP384IsNone) {
  expect_none("P-384");
}
TEST_F(KeyResidue, OfP521IsNone) {
  expect_none("P-521");
}
TEST_F(KeyResidue, OfRsaIsNone) {
  expect_none("RSA-2048");
}

TEST_F(KeyResidue, IsFoundWhereThereIsSome) {
  SecureBytes pkcs8(100);
  random_fill(pkcs8.span());
  const std::vector<Needle> needles = {Needle(pkcs8.view().subspan(30, kPiece)),
                                       Needle::reversed(pkcs8.view().subspan(30, kPiece)),
                                       Needle::in_base64(pkcs8.view(), 30, kPiece)};
  EXPECT_EQ(look_for_all(needles).elsewhere, 0U);
  expect_seen_elsewhere(pkcs8.view(), needles, 1);
}

using KeyResidueWithToken = TokenTest;

/// The whole way. SoftHSM works in this process, and leaves a key's number in memory that it freed
/// (i2d_ECPrivateKey below its C_WrapKey): ordinary memory says nothing about us here.
TEST_F(KeyResidueWithToken, LeavesTheSecureHeap) {
  open_secure_heap(std::size_t{1} << 20U);
  const auto token = open();
  const SystemClock clock;
  ServerKeys keys(*token, {}, clock);
  GeneratedKey key = keys.generate(spec("P-256"));
  const std::vector<Needle> needles = needles_of(key.pkcs8.view(), false);
  EXPECT_EQ(look_for_all(needles).secure_heap, 1U);
  key.pkcs8 = SecureBytes();
  EXPECT_EQ(look_for_all(needles).secure_heap, 0U);
}

}  // namespace
}  // namespace estia::hsm
