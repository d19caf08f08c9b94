// SPDX-License-Identifier: Apache-2.0
#include "hsm/exported_key.h"

#include <algorithm>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "hsm/ckr.h"
#include "hsm/pair_check.h"

namespace estia::hsm {
namespace {

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kParameters = 0xA0;  // [0] of ECPrivateKey
constexpr std::uint8_t kPublicKey = 0xA1;   // [1]
constexpr std::size_t kPaddingUnit = 8;

[[noreturn]] void malformed(const std::string& why) {
  throw token_unavailable("token.wrap_malformed",
                          "the token wrapped something that is not one private key: " + why);
}

[[noreturn]] void mismatch(const char* why) {
  throw token_unavailable(
      "token.wrap_mismatch",
      std::string("the token wrapped another key than its public key's: ") + why);
}

/// The next element, which must be of that type.
der::Element take(ByteView& content, std::uint8_t tag) {
  const der::Element element = der::read(content);
  if (element.tag != tag) {
    malformed("an element of another type");
  }
  return element;
}

bool next_is(ByteView content, std::uint8_t tag) {
  return !content.empty() && content.front() == tag;
}

void end(ByteView content) {
  if (!content.empty()) {
    malformed("more elements than expected");
  }
}

void take_version(ByteView& content, std::uint8_t version) {
  const ByteView value = take(content, kInteger).value;
  if (value.size() != 1 || value.front() != version) {
    malformed("another version");
  }
}

/// A non-negative INTEGER in its shortest form, without the sign octet.
ByteView take_number(ByteView& content) {
  const ByteView value = take(content, kInteger).value;
  const bool shortest =
      !value.empty() && (value.size() == 1 || value[0] != 0 || (value[1] & 0x80U) != 0);
  if (!shortest || (value[0] & 0x80U) != 0) {
    malformed("a number that is negative or not in its shortest form");
  }
  return value[0] == 0 ? value.subspan(1) : value;
}

struct PrivateKeyInfo {
  ByteView whole;      // without the padding
  ByteView algorithm;  // whole TLV
  ByteView key;        // value of the OCTET STRING
};

PrivateKeyInfo parse(ByteView exported) {
  ByteView rest = exported;
  const der::Element outer = take(rest, kSequence);
  if (rest.size() >= kPaddingUnit ||
      !std::ranges::all_of(rest, [](auto byte) { return byte == 0; })) {
    malformed("a tail that is no padding");
  }
  ByteView content = outer.value;
  take_version(content, 0);
  const ByteView algorithm = take(content, kSequence).whole;
  const ByteView key = take(content, kOctetString).value;
  end(content);
  return {outer.whole, algorithm, key};
}

struct PublicKeyInfo {
  ByteView algorithm;  // whole TLV
  ByteView key;        // value of the BIT STRING without its first octet
};

PublicKeyInfo parse_public(ByteView spki) {
  ByteView content = take(spki, kSequence).value;
  const ByteView algorithm = take(content, kSequence).whole;
  return {algorithm, take(content, kBitString).value.subspan(1)};
}

SecureBytes secure_copy(ByteView bytes) {
  SecureBytes copy(bytes.size());
  std::ranges::copy(bytes, copy.data());
  return copy;
}

/// ECPrivateKey's number; what else it may hold must agree with the public key.
ByteView ec_scalar(ByteView encoded, const crypto::KeySpec& spec, ByteView point) {
  ByteView content = take(encoded, kSequence).value;
  end(encoded);
  take_version(content, 1);
  ByteView scalar = take(content, kOctetString).value;
  if (next_is(content, kParameters) &&
      !std::ranges::equal(take(content, kParameters).value, der::oid(spec.curve_oid))) {
    mismatch("another curve");
  }
  if (next_is(content, kPublicKey) &&
      !std::ranges::equal(take(content, kPublicKey).value, der::bit_string(point))) {
    mismatch("another point");
  }
  end(content);
  // Of the order's length, says RFC 5915; some tokens drop zeros in front, or put one there.
  while (!scalar.empty() && scalar.front() == 0) {
    scalar = scalar.subspan(1);
  }
  return scalar;
}

SecureBytes exact_ec(const PrivateKeyInfo& info, const PublicKeyInfo& spki,
                     const crypto::KeySpec& spec) {
  const std::size_t size = (spec.bits + 7U) / 8U;
  const ByteView scalar = ec_scalar(info.key, spec, spki.key);
  if (scalar.size() > size || !ec_pair_matches(spec, scalar, spki.key)) {
    mismatch("another number");
  }
  // Written with zeros in the key's place, so that the writer's ordinary memory sees no key.
  const Bytes public_part = der::tlv(kPublicKey, der::bit_string(spki.key));
  const Bytes frame =
      der::sequence({der::small_integer(0), spki.algorithm,
                     der::octet_string(der::sequence(
                         {der::small_integer(1), der::octet_string(Bytes(size)), public_part}))});
  SecureBytes exact = secure_copy(frame);
  std::ranges::copy(scalar, exact.data() + (frame.size() - public_part.size() - scalar.size()));
  return exact;
}

SecureBytes exact_rsa(const PrivateKeyInfo& info, const PublicKeyInfo& spki) {
  ByteView encoded = info.key;
  ByteView content = take(encoded, kSequence).value;
  end(encoded);
  take_version(content, 0);
  RsaNumbers numbers;
  for (ByteView* number :
       {&numbers.modulus, &numbers.public_exponent, &numbers.private_exponent, &numbers.prime1,
        &numbers.prime2, &numbers.exponent1, &numbers.exponent2, &numbers.coefficient}) {
    *number = take_number(content);
  }
  end(content);
  const Bytes public_part =
      der::sequence({der::integer(numbers.modulus), der::integer(numbers.public_exponent)});
  if (!std::ranges::equal(public_part, spki.key)) {
    mismatch("another modulus or exponent");
  }
  if (!rsa_numbers_match(numbers)) {
    mismatch("numbers that do not fit each other");
  }
  return secure_copy(info.whole);
}

SecureBytes exact_ed25519(const PrivateKeyInfo& info, const PublicKeyInfo& spki) {
  constexpr std::size_t kSeedSize = 32;
  ByteView encoded = info.key;
  const ByteView seed = take(encoded, kOctetString).value;
  end(encoded);
  if (seed.size() != kSeedSize || !ed25519_pair_matches(seed, spki.key)) {
    mismatch("another seed");
  }
  return secure_copy(info.whole);
}

}  // namespace

SecureBytes exact_pkcs8(ByteView exported, const crypto::PublicKey& public_key) {
  if (!public_key.spec()) {
    mismatch("a public key of an unknown kind");
  }
  const crypto::KeySpec& spec = *public_key.spec();
  try {
    const PrivateKeyInfo info = parse(exported);
    const PublicKeyInfo spki = parse_public(public_key.spki());
    if (!std::ranges::equal(info.algorithm, spki.algorithm)) {
      mismatch("another kind");
    }
    if (!spec.curve_oid.empty()) {
      return exact_ec(info, spki, spec);
    }
    return spec.name == "Ed25519" ? exact_ed25519(info, spki) : exact_rsa(info, spki);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::malformed) {  // the reader's
      malformed(error.detail());
    }
    throw;
  }
}

}  // namespace estia::hsm
