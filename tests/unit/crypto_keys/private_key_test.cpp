// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/private_key.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "crypto/base/file.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "tests/support/openssl_command.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/software_keys.h"

namespace estia::crypto {
namespace {

using test::openssl_command;
using test::refusal;
using test::software_key;

const Error& lost_token() {
  static const Error error(ErrorCode::token, "token.lost", "try later", "CKR_DEVICE_REMOVED");
  return error;
}

class EveryKind : public ::testing::TestWithParam<KeySpec> {};

TEST_P(EveryKind, SignsAndVerifies) {
  const PrivateKey key = software_key(GetParam().name);
  ASSERT_EQ(key.public_key().spec(), GetParam());
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(key.public_key());
  const Bytes message(1000, 0x41);
  Bytes signature = key.sign(message);
  EXPECT_TRUE(key.public_key().verify(message, signature, algorithm));
  EXPECT_FALSE(key.public_key().verify(Bytes(999, 0x41), signature, algorithm));
  EXPECT_FALSE(key.public_key().verify(message, {}, algorithm));
  EXPECT_FALSE(
      key.public_key().verify(message, ByteView(signature).first(signature.size() - 1), algorithm));
  signature.back() = static_cast<std::uint8_t>(signature.back() ^ 1U);
  EXPECT_FALSE(key.public_key().verify(message, signature, algorithm));
}

TEST_P(EveryKind, ComesBackFromPemAsTheSameKey) {
  const PrivateKey key = software_key(GetParam().name);
  const PrivateKey again = PrivateKey::from_pem(key.to_pem());
  EXPECT_EQ(again.public_key(), key.public_key());
  EXPECT_TRUE(key.public_key().verify(as_bytes("x"), again.sign(as_bytes("x")),
                                      SignatureAlgorithm::for_key(key.public_key())));
}

TEST_P(EveryKind, OpensslReadsThePem) {
  const test::ScratchDirectory scratch;
  const PrivateKey key = software_key(GetParam().name);
  const auto file = scratch.path() / "key.pem";
  write_new_file(file, key.to_pem().text(), FileMode::secret);
  const auto written = scratch.path() / "spki.der";
  const auto result = openssl_command("pkey -in " + file.string() + " -pubout -outform DER -out " +
                                      written.string());
  ASSERT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(read_file(written), as_text(key.public_key().spki()));
}

INSTANTIATE_TEST_SUITE_P(PrivateKey, EveryKind, ::testing::ValuesIn(KeySpec::known()),
                         [](const auto& spec) {
                           std::string name = spec.param.name;
                           std::erase(name, '-');
                           return name;
                         });

TEST(PrivateKey, AnotherKeyDoesNotVerify) {
  const PrivateKey a = PrivateKey::generate_software(KeySpec::parse("P-256"));
  const PrivateKey b = PrivateKey::generate_software(KeySpec::parse("P-256"));
  EXPECT_FALSE(b.public_key().verify(as_bytes("x"), a.sign(as_bytes("x")),
                                     SignatureAlgorithm::for_key(b.public_key())));
}

TEST(PrivateKey, AnAlgorithmOfAnotherKindOfKeyIsAnErrorAndNotASignature) {
  const PrivateKey rsa = software_key("RSA-2048");
  const PrivateKey ed = PrivateKey::generate_software(KeySpec::parse("Ed25519"));
  const SignatureAlgorithm& hashed = SignatureAlgorithm::for_key(rsa.public_key());
  EXPECT_EQ(refusal([&] { static_cast<void>(ed.sign(as_bytes("x"), hashed)); }),
            "internal openssl.failed");
  EXPECT_FALSE(ed.public_key().verify(as_bytes("x"), Bytes(64), hashed));
}

TEST(PrivateKey, EachSignatureHasTheAlgorithmItWasAskedFor) {
  const PrivateKey key = software_key("RSA-2048");
  const SignatureAlgorithm& usual = SignatureAlgorithm::for_key(key.public_key());
  SignatureAlgorithm longer = usual;
  longer.digest = "SHA2-384";
  const std::array<const SignatureAlgorithm*, 6> asked{&usual,  &longer, &usual,
                                                       &longer, &longer, &usual};
  for (const SignatureAlgorithm* algorithm : asked) {
    const Bytes signature = key.sign(as_bytes("x"), *algorithm);
    EXPECT_TRUE(key.public_key().verify(as_bytes("x"), signature, *algorithm));
    EXPECT_FALSE(
        key.public_key().verify(as_bytes("x"), signature, algorithm == &usual ? longer : usual));
  }
}

TEST(PrivateKey, ARefusedAlgorithmLeavesTheKeyAsItWas) {
  const PrivateKey ed = PrivateKey::generate_software(KeySpec::parse("Ed25519"));
  const PublicKey& half = ed.public_key();
  const SignatureAlgorithm& usual = SignatureAlgorithm::for_key(half);
  const SignatureAlgorithm hashed =
      SignatureAlgorithm::for_key(software_key("RSA-2048").public_key());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(refusal([&] { static_cast<void>(ed.sign(as_bytes("x"), hashed)); }),
              "internal openssl.failed");
    EXPECT_TRUE(half.verify(as_bytes("x"), ed.sign(as_bytes("x")), usual));
  }
}

TEST(PrivateKey, RefusesPemThatIsNotExactlyOnePlainKey) {
  const std::string pem(PrivateKey::generate_software(KeySpec::parse("P-256")).to_pem().text());
  const auto read = [](const std::string& text) {
    return refusal([&] { static_cast<void>(PrivateKey::from_pem(Secret(text))); });
  };
  EXPECT_EQ(read(pem), "none");
  EXPECT_EQ(read(pem + "\n \n"), "none");
  EXPECT_EQ(read(""), "config key.pem");
  EXPECT_EQ(read(" " + pem), "config key.pem");
  EXPECT_EQ(read("junk\n" + pem), "config key.pem");
  EXPECT_EQ(read(pem + "junk"), "config key.pem");
  EXPECT_EQ(read(pem + pem), "config key.pem");
  EXPECT_EQ(read(pem.substr(0, pem.size() / 2)), "config key.pem");
  EXPECT_EQ(read("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"), "config key.pem");
  EXPECT_EQ(read("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "config key.pem");
  EXPECT_EQ(read("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "config key.pem");
}

TEST(PrivateKey, RefusesAnEncryptedKeyWithoutAskingForAPassword) {
  const auto result = openssl_command(
      "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:x");
  ASSERT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(refusal([&] { static_cast<void>(PrivateKey::from_pem(Secret(result.output))); }),
            "config key.pem");
}

TEST(PrivateKey, AKeyWithoutItsPrivateHalfCannotBeExportedNorSign) {
  const PrivateKey whole = PrivateKey::generate_software(KeySpec::parse("P-256"));
  const PublicKey half = whole.public_key();
  ASSERT_EQ(::EVP_PKEY_up_ref(half.evp()), 1);
  const PrivateKey hollow(EvpPkeyPtr(half.evp()), half);
  EXPECT_EQ(refusal([&] { static_cast<void>(hollow.to_pem()); }), "internal key.not_exportable");
  EXPECT_EQ(refusal([&] { static_cast<void>(hollow.sign(as_bytes("x"))); }),
            "internal openssl.failed");
}

TEST(PrivateKey, ManyThreadsShareOneKey) {
  const PrivateKey key = PrivateKey::generate_software(KeySpec::parse("P-256"));
  const SignatureAlgorithm& algorithm = SignatureAlgorithm::for_key(key.public_key());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, copy = key] {
      for (int i = 0; i < 50; ++i) {
        const std::string message = std::to_string(i);
        good += copy.public_key().verify(as_bytes(message), copy.sign(as_bytes(message)), algorithm)
                    ? 1
                    : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 200);
}

TEST(PendingError, ComesBackOnceOnItsOwnThread) {
  leave_pending_error(lost_token());
  EXPECT_EQ(refusal([] { rethrow_pending_error(); }), "token token.lost");
  EXPECT_EQ(refusal([] { rethrow_pending_error(); }), "none");
  leave_pending_error(lost_token());
  std::string elsewhere;
  std::thread([&] { elsewhere = refusal([] { rethrow_pending_error(); }); }).join();
  EXPECT_EQ(elsewhere, "none");
  clear_pending_error();
  EXPECT_EQ(refusal([] { rethrow_pending_error(); }), "none");
}

TEST(PendingError, AStaleOneNeitherSpoilsASignatureNorExplainsAnotherFailure) {
  const PrivateKey key = PrivateKey::generate_software(KeySpec::parse("Ed25519"));
  leave_pending_error(lost_token());
  EXPECT_NO_THROW(static_cast<void>(key.sign(as_bytes("x"))));
  const PublicKey half = key.public_key();
  ASSERT_EQ(::EVP_PKEY_up_ref(half.evp()), 1);
  const PrivateKey hollow(EvpPkeyPtr(half.evp()), half);
  leave_pending_error(lost_token());
  EXPECT_EQ(refusal([&] { static_cast<void>(hollow.sign(as_bytes("x"))); }),
            "internal openssl.failed");
}

}  // namespace
}  // namespace estia::crypto
