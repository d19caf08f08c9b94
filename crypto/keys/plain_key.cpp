// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/plain_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "crypto/base/der.h"
#include "crypto/keys/key_spec.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

using ParamBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;

constexpr std::size_t kEd25519Size = 32;

/// Everything of a SubjectPublicKeyInfo that stands before the BIT STRING's header.
struct Kind {
  KeySpec spec;
  Bytes algorithm;  // the AlgorithmIdentifier
};

Bytes algorithm_of(const KeySpec& spec) {
  if (!spec.curve_oid.empty()) {
    return der::sequence({der::oid(spec.algorithm_oid), der::oid(spec.curve_oid)});
  }
  return spec.name == "Ed25519" ? der::sequence({der::oid(spec.algorithm_oid)})
                                : der::sequence({der::oid(spec.algorithm_oid), der::null()});
}

const Kind* find_kind(ByteView algorithm) {
  static const std::vector<Kind> kinds = [] {
    std::vector<Kind> all;
    for (const KeySpec& spec : KeySpec::known()) {
      all.push_back({spec, algorithm_of(spec)});
    }
    return all;
  }();
  const auto found = std::ranges::find_if(
      kinds, [&](const Kind& kind) { return std::ranges::equal(kind.algorithm, algorithm); });
  return found == kinds.end() ? nullptr : &*found;
}

EvpPkeyPtr import_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(require(::OSSL_PARAM_BLD_to_param(builder), "OSSL_PARAM_BLD_to_param"));
  const EvpPkeyCtxPtr context(require(::EVP_PKEY_CTX_new_from_name(library(), type, nullptr),
                                      "EVP_PKEY_CTX_new_from_name"));
  EVP_PKEY* key = nullptr;
  if (::EVP_PKEY_fromdata_init(context.get()) != 1 ||
      ::EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    static_cast<void>(drain_errors());
    return nullptr;
  }
  return EvpPkeyPtr(key);
}

EvpPkeyPtr import_octets(const char* type, const char* group, ByteView octets) {
  const ParamBuilder builder(require(::OSSL_PARAM_BLD_new(), "OSSL_PARAM_BLD_new"));
  if (group != nullptr) {
    require(::OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
            "OSSL_PARAM_BLD_push_utf8_string");
  }
  require(::OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(),
                                             octets.size()),
          "OSSL_PARAM_BLD_push_octet_string");
  return import_key(type, builder.get());
}

EvpPkeyPtr ec_key(const KeySpec& spec, ByteView point) {
  constexpr std::uint8_t kUncompressed = 0x04;
  const std::size_t coordinate = (spec.bits + 7) / 8;
  if (point.size() != 1 + 2 * coordinate || point.front() != kUncompressed) {
    return nullptr;
  }
  return import_octets("EC", spec.name.c_str(), point);
}

BignumPtr number(ByteView magnitude) {
  return BignumPtr(require(
      ::BN_bin2bn(magnitude.data(), static_cast<int>(magnitude.size()), nullptr), "BN_bin2bn"));
}

/// RSAPublicKey ::= SEQUENCE { modulus, publicExponent } (RFC 8017 A.1.1).
EvpPkeyPtr rsa_key(ByteView structure) {
  der::check_structure(structure);
  ByteView rest = structure;
  ByteView content = der::read(rest).value;
  if (content.empty()) {
    return nullptr;
  }
  const ByteView modulus = der::read(content).value;
  if (content.empty()) {
    return nullptr;
  }
  const ByteView exponent = der::read(content).value;
  if (!std::ranges::equal(der::sequence({der::integer(modulus), der::integer(exponent)}),
                          structure)) {
    return nullptr;
  }
  const BignumPtr n = number(modulus);
  const BignumPtr e = number(exponent);
  const ParamBuilder builder(require(::OSSL_PARAM_BLD_new(), "OSSL_PARAM_BLD_new"));
  require(::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()),
          "OSSL_PARAM_BLD_push_BN");
  require(::OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()),
          "OSSL_PARAM_BLD_push_BN");
  return import_key("RSA", builder.get());
}

EvpPkeyPtr key_of(const Kind& kind, ByteView key) {
  if (!kind.spec.curve_oid.empty()) {
    return ec_key(kind.spec, key);
  }
  if (kind.spec.name == "Ed25519") {
    return key.size() == kEd25519Size ? import_octets("ED25519", nullptr, key) : nullptr;
  }
  return rsa_key(key);
}

}  // namespace

EvpPkeyPtr plain_key(ByteView spki) {
  der::check_structure(spki);
  ByteView rest = spki;
  ByteView content = der::read(rest).value;
  if (content.empty()) {
    return nullptr;
  }
  const ByteView algorithm = der::read(content).whole;
  const Kind* kind = find_kind(algorithm);
  if (kind == nullptr || content.empty()) {
    return nullptr;
  }
  const der::Element bits = der::read(content);
  if (bits.value.size() < 2) {
    return nullptr;
  }
  const ByteView key = bits.value.subspan(1);
  // One key, one encoding: what these bytes would be written as is what they are.
  if (!std::ranges::equal(der::sequence({algorithm, der::bit_string(key)}), spki)) {
    return nullptr;
  }
  return key_of(*kind, key);
}

}  // namespace estia::crypto
