// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/weak_rsa.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>

#include "crypto/openssl/key_number.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

constexpr std::array<unsigned, 38> kSmallPrimes = {
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
constexpr int kFermatRounds = 100;

constexpr std::size_t kResidues = kSmallPrimes.back() + 1;

/// The powers of 65537 modulo each of the primes.
const std::array<std::bitset<kResidues>, kSmallPrimes.size()>& roca_residues() {
  static const auto all = [] {
    std::array<std::bitset<kResidues>, kSmallPrimes.size()> powers;
    for (std::size_t i = 0; i < kSmallPrimes.size(); ++i) {
      const unsigned prime = kSmallPrimes.at(i);
      for (unsigned power = 1; !powers.at(i).test(power);
           power = static_cast<unsigned>(static_cast<std::uint64_t>(power) * 65537U % prime)) {
        powers.at(i).set(power);
      }
    }
    return powers;
  }();
  return all;
}

/// Moduli made by the flawed library are, modulo each of these primes, a power of 65537. For a
/// random modulus the chance that all of them agree is under 2^-25, since for many of the primes
/// the powers of 65537 are a small subgroup.
bool has_roca_form(const BIGNUM* modulus) {
  for (std::size_t i = 0; i < kSmallPrimes.size(); ++i) {
    if (!roca_residues().at(i).test(::BN_mod_word(modulus, kSmallPrimes.at(i)))) {
      return false;
    }
  }
  return true;
}

bool has_small_factor(const BIGNUM* modulus) {
  for (const unsigned prime : kSmallPrimes) {
    if (::BN_mod_word(modulus, prime) == 0) {
      return true;
    }
  }
  return false;
}

/// floor(sqrt(n)) by Newton's method: starts above the root and falls.
BignumPtr square_root(const BIGNUM* n, BN_CTX* context) {
  BignumPtr root(require(::BN_new(), "BN_new"));
  const BignumPtr next(require(::BN_new(), "BN_new"));
  require(::BN_lshift(root.get(), ::BN_value_one(), (::BN_num_bits(n) + 1) / 2), "BN_lshift");
  for (;;) {
    require(::BN_div(next.get(), nullptr, n, root.get(), context), "BN_div");
    require(::BN_add(next.get(), next.get(), root.get()), "BN_add");
    require(::BN_rshift1(next.get(), next.get()), "BN_rshift1");
    if (::BN_cmp(next.get(), root.get()) >= 0) {
      return root;
    }
    require(::BN_copy(root.get(), next.get()) != nullptr ? 1 : 0, "BN_copy");
  }
}

/// Squares leave few remainders modulo these: 99 of 100 other numbers fail without a root taken.
bool may_be_square(const BIGNUM* n) {
  static constexpr std::array<unsigned, 4> kModuli = {64, 63, 65, 11};
  return std::all_of(kModuli.begin(), kModuli.end(), [&](unsigned modulus) {
    const auto rest = static_cast<unsigned>(::BN_mod_word(n, modulus));
    for (unsigned root = 0; root < modulus; ++root) {
      if (root * root % modulus == rest) {
        return true;
      }
    }
    return false;
  });
}

/// Fermat: n = a^2 - b^2 with a just above sqrt(n) when the primes are close.
bool has_close_primes(const BIGNUM* modulus) {
  const BnCtxPtr context(require(::BN_CTX_new(), "BN_CTX_new"));
  const BignumPtr a = square_root(modulus, context.get());
  const BignumPtr rest(require(::BN_new(), "BN_new"));
  const BignumPtr square(require(::BN_new(), "BN_new"));
  for (int round = 0; round < kFermatRounds; ++round) {
    require(::BN_sqr(rest.get(), a.get(), context.get()), "BN_sqr");
    require(::BN_sub(rest.get(), rest.get(), modulus), "BN_sub");
    if (::BN_is_zero(rest.get()) == 1) {
      return true;  // the square of one prime
    }
    if (::BN_is_negative(rest.get()) == 0 && may_be_square(rest.get())) {
      const BignumPtr b = square_root(rest.get(), context.get());
      require(::BN_sqr(square.get(), b.get(), context.get()), "BN_sqr");
      if (::BN_cmp(square.get(), rest.get()) == 0) {
        return true;
      }
    }
    require(::BN_add_word(a.get(), 1), "BN_add_word");
  }
  return false;
}

}  // namespace

std::optional<std::string> weak_rsa_reason(EVP_PKEY* key) {
  const BignumPtr modulus = key_number(key, OSSL_PKEY_PARAM_RSA_N);
  const BignumPtr exponent = key_number(key, OSSL_PKEY_PARAM_RSA_E);
  if (::BN_is_odd(exponent.get()) == 0 || ::BN_num_bits(exponent.get()) < 17 ||
      ::BN_num_bits(exponent.get()) > 256) {
    return "RSA exponent even, under 65537 or over 256 bits";
  }
  if (::BN_is_odd(modulus.get()) == 0 || has_small_factor(modulus.get())) {
    return "RSA modulus with a small factor";
  }
  if (has_roca_form(modulus.get())) {
    return "RSA modulus of the ROCA form (CVE-2017-15361)";
  }
  if (has_close_primes(modulus.get())) {
    return "RSA primes too close";
  }
  return std::nullopt;
}

}  // namespace estia::crypto
