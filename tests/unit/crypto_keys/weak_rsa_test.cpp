// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/weak_rsa.h"

#include <gtest/gtest.h>

#include "crypto/base/der.h"
#include "crypto/keys/private_key.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "tests/support/refusal.h"

namespace estia::crypto {
namespace {

using test::refusal;

BignumPtr number(const char* hex) {
  BIGNUM* value = nullptr;
  EXPECT_GT(::BN_hex2bn(&value, hex), 0);
  return BignumPtr(value);
}

Bytes magnitude(const BIGNUM* value) {
  Bytes out(static_cast<std::size_t>(BN_num_bytes(value)));
  ::BN_bn2bin(value, out.data());
  return out;
}

BignumPtr product(const BIGNUM* a, const BIGNUM* b) {
  BignumPtr out(::BN_new());
  const BnCtxPtr context(::BN_CTX_new());
  EXPECT_EQ(::BN_mul(out.get(), a, b, context.get()), 1);
  return out;
}

BignumPtr prime(int bits) {
  BignumPtr out(::BN_new());
  EXPECT_EQ(::BN_generate_prime_ex(out.get(), bits, 0, nullptr, nullptr, nullptr), 1);
  return out;
}

/// With the two top bits set, like a prime of BN_generate_prime_ex.
BignumPtr odd_number(int bits) {
  BignumPtr out(::BN_new());
  EXPECT_EQ(::BN_rand(out.get(), bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
  return out;
}

BignumPtr next_prime(const BIGNUM* from) {
  BignumPtr out(::BN_dup(from));
  const BnCtxPtr context(::BN_CTX_new());
  do {
    ::BN_add_word(out.get(), 2);
  } while (::BN_check_prime(out.get(), context.get(), nullptr) != 1);
  return out;
}

PublicKey rsa(const BIGNUM* modulus, const Bytes& exponent) {
  const Bytes key = der::sequence({der::integer(magnitude(modulus)), der::integer(exponent)});
  return PublicKey::from_spki(der::sequence(
      {der::sequence({der::oid("1.2.840.113549.1.1.1"), der::null()}), der::bit_string(key)}));
}

const Bytes kF4{0x01, 0x00, 0x01};

std::string strength(const PublicKey& key) {
  return refusal([&] { key.check_strength(); });
}

std::string why(const PublicKey& key) {
  return weak_rsa_reason(key.evp()).value_or("");
}

/// Found by a hostile client: an exponent as long as the modulus makes each verification of a
/// stranger's signature dear, before anybody has proved anything.
TEST(WeakRsa, WhatIsDearToVerifyIsRefusedBeforeThat) {
  const auto cost = [](const PublicKey& key) { return refusal([&] { key.check_affordable(); }); };
  const auto modulus = [](std::size_t octets) {
    const Bytes value(octets, 0xC5);
    return BignumPtr(::BN_bin2bn(value.data(), static_cast<int>(value.size()), nullptr));
  };
  EXPECT_EQ(cost(rsa(modulus(256).get(), kF4)), "none");
  EXPECT_EQ(cost(rsa(modulus(256).get(), Bytes(32, 0xFF))), "none");
  EXPECT_EQ(cost(rsa(modulus(256).get(), Bytes(33, 0xFF))), "malformed key.unsupported");
  EXPECT_EQ(cost(rsa(modulus(1024).get(), kF4)), "none");
  EXPECT_EQ(cost(rsa(modulus(1025).get(), kF4)), "malformed key.unsupported");
}

/// A modulus as the flawed library (CVE-2017-15361) shapes it: 65537^a modulo the product of the
/// small primes, filled up to 2048 bits. The check looks only at the residues.
BignumPtr roca_modulus() {
  BignumPtr primorial(::BN_new());
  const BnCtxPtr context(::BN_CTX_new());
  EXPECT_EQ(::BN_set_word(primorial.get(), 1), 1);
  for (const unsigned p :
       {2U,   3U,   5U,   7U,   11U,  13U,  17U,  19U,  23U,  29U,  31U,  37U,  41U,
        43U,  47U,  53U,  59U,  61U,  67U,  71U,  73U,  79U,  83U,  89U,  97U,  101U,
        103U, 107U, 109U, 113U, 127U, 131U, 137U, 139U, 149U, 151U, 157U, 163U, 167U}) {
    ::BN_mul_word(primorial.get(), p);
  }
  const BignumPtr base = number("10001");
  const BignumPtr power = number("1234567");
  BignumPtr residue(::BN_new());
  EXPECT_EQ(::BN_mod_exp(residue.get(), base.get(), power.get(), primorial.get(), context.get()),
            1);
  BignumPtr factor(::BN_new());
  EXPECT_EQ(::BN_lshift(factor.get(), ::BN_value_one(), 2047 - BN_num_bits(primorial.get()) + 1),
            1);
  BignumPtr modulus = product(primorial.get(), factor.get());
  EXPECT_EQ(::BN_add(modulus.get(), modulus.get(), residue.get()), 1);
  return modulus;
}

TEST(WeakRsa, AcceptsGeneratedKeys) {
  for (int i = 0; i < 5; ++i) {
    const PrivateKey key = PrivateKey::generate_software(KeySpec::parse("RSA-2048"));
    EXPECT_EQ(strength(key.public_key()), "none");
  }
}

TEST(WeakRsa, RefusesExponentsThatAreSmallEvenOrHuge_X509_SPKI) {
  const BignumPtr p = prime(1024);
  const BignumPtr q = prime(1024);
  const BignumPtr n = product(p.get(), q.get());
  ASSERT_EQ(BN_num_bits(n.get()), 2048);
  EXPECT_EQ(strength(rsa(n.get(), kF4)), "none");
  for (const Bytes& exponent : {Bytes{1}, Bytes{3}, Bytes{17}, Bytes{0xFF, 0xFF},
                                Bytes{0x01, 0x00, 0x00}, Bytes(33, 0xFF)}) {
    EXPECT_EQ(strength(rsa(n.get(), exponent)), "malformed key.weak") << to_hex(exponent);
  }
}

TEST(WeakRsa, RefusesAModulusThatIsEvenOrHasASmallFactor) {
  BignumPtr even = odd_number(2048);
  ::BN_sub_word(even.get(), 1);
  EXPECT_EQ(strength(rsa(even.get(), kF4)), "malformed key.weak");
  const BignumPtr big = odd_number(2041);
  BignumPtr factor(::BN_new());
  ::BN_set_word(factor.get(), 103);
  const BignumPtr n = product(big.get(), factor.get());
  ASSERT_EQ(BN_num_bits(n.get()), 2048);
  EXPECT_NE(why(rsa(n.get(), kF4)).find("small factor"), std::string::npos);
}

TEST(WeakRsa, RefusesClosePrimes_X509_SPKI) {
  const BignumPtr p = prime(1024);
  const BignumPtr q = next_prime(p.get());
  const BignumPtr n = product(p.get(), q.get());
  ASSERT_EQ(BN_num_bits(n.get()), 2048);
  EXPECT_NE(why(rsa(n.get(), kF4)).find("close"), std::string::npos);
}

TEST(WeakRsa, RefusesTheSquareOfOnePrime) {
  const BignumPtr p = prime(1024);
  const BignumPtr n = product(p.get(), p.get());
  EXPECT_EQ(strength(rsa(n.get(), kF4)), "malformed key.weak");
}

TEST(WeakRsa, RefusesTheRocaForm_CVE_2017_15361) {
  const BignumPtr n = roca_modulus();
  ASSERT_EQ(BN_num_bits(n.get()), 2048);
  EXPECT_NE(why(rsa(n.get(), kF4)).find("ROCA"), std::string::npos);
}

TEST(WeakRsa, RefusesShortAndOddSizedModuli) {
  for (const int bits : {512, 1023, 1024, 2040, 2047}) {
    EXPECT_EQ(strength(rsa(odd_number(bits).get(), kF4)), "malformed key.weak") << bits;
  }
  for (const int bits : {2049, 2050}) {
    EXPECT_EQ(strength(rsa(odd_number(bits).get(), kF4)), "malformed key.unsupported") << bits;
  }
}

}  // namespace
}  // namespace estia::crypto
