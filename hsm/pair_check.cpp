// SPDX-License-Identifier: Apache-2.0
#include "hsm/pair_check.h"

#include <algorithm>
#include <array>

#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"

namespace estia::hsm {
namespace {

using crypto::BnCtxPtr;
using crypto::require;
using GroupPtr = crypto::Owned<EC_GROUP, EC_GROUP_free>;
using PointPtr = crypto::Owned<EC_POINT, EC_POINT_clear_free>;
using SecretBignum = crypto::Owned<BIGNUM, BN_clear_free>;

SecretBignum secret_number() {
  return SecretBignum(require(::BN_secure_new(), "BN_secure_new"));
}

SecretBignum secret_number(ByteView magnitude) {
  SecretBignum number = secret_number();
  require(::BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), number.get()),
          "BN_bin2bn");
  ::BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

BnCtxPtr secret_context() {
  return BnCtxPtr(require(::BN_CTX_secure_new_ex(crypto::library()), "BN_CTX_secure_new_ex"));
}

/// Calculates with secrets of one key.
class Arithmetic final {
 public:
  [[nodiscard]] SecretBignum product(const SecretBignum& a, const SecretBignum& b) const {
    SecretBignum result = secret_number();
    require(::BN_mul(result.get(), a.get(), b.get(), context_.get()), "BN_mul");
    return result;
  }
  [[nodiscard]] SecretBignum remainder(const SecretBignum& a, const SecretBignum& modulus) const {
    SecretBignum result = secret_number();
    require(::BN_div(nullptr, result.get(), a.get(), modulus.get(), context_.get()), "BN_div");
    return result;
  }
  [[nodiscard]] bool inverse(const SecretBignum& a, const SecretBignum& b,
                             const SecretBignum& modulus) const {
    return ::BN_is_one(remainder(product(a, b), modulus).get()) == 1;
  }

 private:
  BnCtxPtr context_ = secret_context();
};

SecretBignum one_less(const SecretBignum& number) {
  SecretBignum result = secret_number();
  require(::BN_sub(result.get(), number.get(), ::BN_value_one()), "BN_sub");
  return result;
}

bool same(const SecretBignum& a, const SecretBignum& b) {
  return ::BN_cmp(a.get(), b.get()) == 0;
}

}  // namespace

bool ec_pair_matches(const crypto::KeySpec& spec, ByteView scalar, ByteView point) {
  const GroupPtr group(
      require(::EC_GROUP_new_by_curve_name_ex(crypto::library(), nullptr,
                                              ::EC_curve_nist2nid(spec.name.c_str())),
              "EC_GROUP_new_by_curve_name_ex"));
  const SecretBignum secret = secret_number(scalar);
  if (::BN_is_zero(secret.get()) == 1 ||
      ::BN_cmp(secret.get(), ::EC_GROUP_get0_order(group.get())) >= 0) {
    return false;
  }
  const BnCtxPtr context = secret_context();
  const PointPtr made(require(::EC_POINT_new(group.get()), "EC_POINT_new"));
  require(::EC_POINT_mul(group.get(), made.get(), secret.get(), nullptr, nullptr, context.get()),
          "EC_POINT_mul");
  Bytes encoded(point.size());
  const std::size_t size =
      ::EC_POINT_point2oct(group.get(), made.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                           encoded.size(), context.get());
  return size == point.size() && std::ranges::equal(encoded, point);
}

bool ed25519_pair_matches(ByteView seed, ByteView point) {
  const crypto::EvpPkeyPtr key(::EVP_PKEY_new_raw_private_key_ex(
      crypto::library(), "ED25519", nullptr, seed.data(), seed.size()));
  if (!key) {
    static_cast<void>(crypto::drain_errors());
    return false;
  }
  std::array<std::uint8_t, 32> made;
  std::size_t size = made.size();
  require(::EVP_PKEY_get_raw_public_key(key.get(), made.data(), &size),
          "EVP_PKEY_get_raw_public_key");
  return size == made.size() && std::ranges::equal(made, point);
}

bool rsa_numbers_match(const RsaNumbers& key) {
  const Arithmetic math;
  const SecretBignum p = secret_number(key.prime1);
  const SecretBignum q = secret_number(key.prime2);
  if (::BN_is_odd(p.get()) == 0 || ::BN_is_odd(q.get()) == 0 || ::BN_is_one(p.get()) == 1 ||
      ::BN_is_one(q.get()) == 1 || !same(math.product(p, q), secret_number(key.modulus))) {
    return false;
  }
  const SecretBignum p1 = one_less(p);
  const SecretBignum q1 = one_less(q);
  const SecretBignum e = secret_number(key.public_exponent);
  const SecretBignum d = secret_number(key.private_exponent);
  return math.inverse(e, d, p1) && math.inverse(e, d, q1) &&
         same(math.remainder(d, p1), secret_number(key.exponent1)) &&
         same(math.remainder(d, q1), secret_number(key.exponent2)) &&
         math.inverse(q, secret_number(key.coefficient), p);
}

}  // namespace estia::hsm
