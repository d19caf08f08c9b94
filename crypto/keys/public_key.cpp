// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/public_key.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/keys/digest.h"
#include "crypto/keys/plain_key.h"
#include "crypto/keys/weak_rsa.h"
#include "crypto/openssl/key_number.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

constexpr std::uint8_t kOidTag = 0x06;

[[noreturn]] void refuse(const char* why) {
  throw Error(ErrorCode::malformed, "key.malformed", "the public key is malformed", why);
}

struct SpkiParts {
  ByteView algorithm_oid;   // whole TLV
  ByteView parameters_oid;  // whole TLV when the parameters are an OID, else empty
  ByteView key;             // value of the BIT STRING without its unused-bits octet
};

SpkiParts split_spki(ByteView der) {
  der::check_structure(der);
  ByteView rest = der;
  ByteView content = der::read(rest).value;
  ByteView algorithm = der::read(content).value;
  const der::Element key = der::read(content);
  SpkiParts parts;
  const der::Element oid = der::read(algorithm);
  if (oid.tag != kOidTag || key.tag != 0x03 || key.value.empty() || key.value.front() != 0 ||
      !content.empty()) {
    refuse("not a SubjectPublicKeyInfo");
  }
  parts.algorithm_oid = oid.whole;
  if (!algorithm.empty()) {
    const der::Element parameters = der::read(algorithm);
    if (parameters.tag == kOidTag) {
      parts.parameters_oid = parameters.whole;
    }
  }
  parts.key = key.value.subspan(1);
  return parts;
}

bool same(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// The table of KeySpec with its OIDs as they are encoded: every key is looked up in it.
struct EncodedSpec {
  const KeySpec& spec;
  Bytes algorithm_oid;
  Bytes curve_oid;  // empty where there is none
};

const std::vector<EncodedSpec>& encoded_specs() {
  static const std::vector<EncodedSpec> all = [] {
    std::vector<EncodedSpec> made;
    for (const KeySpec& spec : KeySpec::known()) {
      made.push_back({spec, der::oid(spec.algorithm_oid),
                      spec.curve_oid.empty() ? Bytes() : der::oid(spec.curve_oid)});
    }
    return made;
  }();
  return all;
}

/// Before OpenSSL looks at them: explicit parameters make it calculate with numbers of the peer's
/// choice (CVE-2022-0778), and a point written compressed would be a second name for the same key.
void check_ec_form(const SpkiParts& parts) {
  constexpr std::uint8_t kUncompressed = 0x04;
  if (!same(parts.algorithm_oid, der::oid("1.2.840.10045.2.1"))) {
    return;
  }
  if (parts.parameters_oid.empty()) {
    refuse("EC parameters that are no named curve");
  }
  if (parts.key.empty() || parts.key.front() != kUncompressed) {
    refuse("EC point not in the uncompressed form");
  }
}

std::optional<KeySpec> recognise(const SpkiParts& parts, EVP_PKEY* key) {
  for (const auto& [spec, algorithm_oid, curve_oid] : encoded_specs()) {
    if (!same(parts.algorithm_oid, algorithm_oid)) {
      continue;
    }
    if (!curve_oid.empty()) {
      if (same(parts.parameters_oid, curve_oid)) {
        return spec;
      }
    } else if (::EVP_PKEY_get_bits(key) == static_cast<int>(spec.bits) || spec.name == "Ed25519") {
      return spec;
    }
  }
  return std::nullopt;
}

Bytes encode(EVP_PKEY* key) {
  unsigned char* out = nullptr;
  const int size = ::i2d_PUBKEY(key, &out);
  require(size > 0 ? 1 : 0, "i2d_PUBKEY");
  const OpenSslPtr<unsigned char> owned(out);
  return {out, out + size};
}

}  // namespace

PublicKey::PublicKey(std::shared_ptr<EVP_PKEY> key, Bytes spki)
    : key_(std::move(key)), spki_(std::move(spki)) {
  spec_ = recognise(split_spki(spki_), key_.get());
}

std::optional<PublicKey> PublicKey::from_plain_spki(ByteView der) {
  EvpPkeyPtr key = plain_key(der);
  if (!key) {
    return std::nullopt;
  }
  return PublicKey(std::shared_ptr<EVP_PKEY>(key.release(), ::EVP_PKEY_free),
                   Bytes(der.begin(), der.end()));
}

PublicKey PublicKey::from_spki(ByteView der) {
  if (auto plain = from_plain_spki(der)) {
    return *std::move(plain);
  }
  check_ec_form(split_spki(der));
  const unsigned char* at = der.data();
  EvpPkeyPtr key(::d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), library(), nullptr));
  if (!key || at != der.data() + der.size()) {
    refuse(drain_errors().c_str());
  }
  // Other spellings of a key are not what a certificate should carry: one key, one encoding.
  Bytes canonical = encode(key.get());
  if (!same(der, canonical)) {
    refuse("not the canonical encoding");
  }
  return {std::shared_ptr<EVP_PKEY>(key.release(), ::EVP_PKEY_free), std::move(canonical)};
}

PublicKey PublicKey::of(EVP_PKEY* key) {
  return from_spki(encode(key));
}

Bytes PublicKey::key_identifier() const {
  const SpkiParts parts = split_spki(spki_);
  Bytes digest(20);
  std::size_t size = digest.size();
  require(::EVP_Q_digest(library(), "SHA1", nullptr, parts.key.data(), parts.key.size(),
                         digest.data(), &size),
          "EVP_Q_digest(SHA1)");
  return digest;
}

Bytes PublicKey::fingerprint() const {
  return sha256(spki_);
}

bool PublicKey::verify(ByteView message, ByteView signature,
                       const SignatureAlgorithm& algorithm) const {
  const EvpMdCtxPtr context(require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
  const char* digest = algorithm.digest.empty() ? nullptr : algorithm.digest.c_str();
  if (::EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, library(), nullptr, key_.get(),
                                nullptr) != 1) {
    static_cast<void>(drain_errors());
    return false;
  }
  const int rc = ::EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                    message.data(), message.size());
  if (rc != 1) {
    static_cast<void>(drain_errors());
  }
  return rc == 1;
}

namespace {

/// Whether an Ed25519 key is a point of small order: a signature that fits it can be made by
/// anybody, so that it proves possession of nothing. The sign of x (the top bit) is not looked at;
/// the last two are other spellings of 0 and 1 (RFC 8032 5.1.3 refuses them, OpenSSL does not).
bool of_small_order(ByteView key) {
  constexpr std::array<std::string_view, 7> kPoints{
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  Bytes y(key.begin(), key.end());
  y.back() &= 0x7FU;
  return std::ranges::find(kPoints, to_hex(y)) != kPoints.end();
}

}  // namespace

void PublicKey::check_affordable() const {
  constexpr int kMostModulusBits = 8192;
  constexpr int kMostExponentBits = 256;
  if (::EVP_PKEY_is_a(key_.get(), "RSA") != 1) {
    return;
  }
  const BignumPtr exponent = key_number(key_.get(), OSSL_PKEY_PARAM_RSA_E);
  if (::EVP_PKEY_get_bits(key_.get()) > kMostModulusBits ||
      ::BN_num_bits(exponent.get()) > kMostExponentBits) {
    throw Error(ErrorCode::malformed, "key.unsupported", "this kind of key is not supported",
                "RSA modulus or exponent too long");
  }
}

void PublicKey::check_strength() const {
  const auto weak = [](const char* why) -> void {
    throw Error(ErrorCode::malformed, "key.weak", "this key is too weak", why);
  };
  if (!spec_) {
    if (::EVP_PKEY_is_a(key_.get(), "RSA") == 1 && ::EVP_PKEY_get_bits(key_.get()) < 2048) {
      weak("RSA modulus under 2048 bits");
    }
    throw Error(ErrorCode::malformed, "key.unsupported", "this kind of key is not supported");
  }
  if (::EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
    if (const auto why = weak_rsa_reason(key_.get())) {
      weak(why->c_str());
    }
    return;
  }
  if (::EVP_PKEY_is_a(key_.get(), "ED25519") == 1 && of_small_order(split_spki(spki_).key)) {
    weak("an Ed25519 point of small order");
  }
  const EvpPkeyCtxPtr context(require(::EVP_PKEY_CTX_new_from_pkey(library(), key_.get(), nullptr),
                                      "EVP_PKEY_CTX_new_from_pkey"));
  // In range and on the curve is all there is to check: the curves we know are of prime order, so
  // that every such point has the full one (SP 800-56A 5.6.2.3.4). The long form multiplies for it.
  if (::EVP_PKEY_public_check_quick(context.get()) != 1) {
    static_cast<void>(drain_errors());
    weak("the point is not a valid public key");
  }
}

}  // namespace estia::crypto
