// SPDX-License-Identifier: Apache-2.0
// What opens an enveloped key must not outlive the call that made it, wherever OpenSSL puts it. A
// child process finds out what to look for, so that this one never sees it.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/secure_der.h"
#include "crypto/cms/content_key.h"
#include "crypto/cms/key_agreement.h"
#include "crypto/cms/key_package.h"
#include "crypto/cms/pkcs12.h"
#include "tests/support/memory_scan.h"
#include "tests/unit/crypto_cms/key_package_fixture.h"

namespace estia::crypto {
namespace {

using test::Needle;

constexpr std::size_t kMaxNeedle = 512;

/// Never throws: the child must not run on into the rest of the tests.
bool tell(const std::function<Bytes()>& find, int to) noexcept {
  try {
    Bytes found = find();
    for (std::uint8_t& byte : found) {
      byte = static_cast<std::uint8_t>(~byte);
    }
    return ::write(to, found.data(), found.size()) == static_cast<ssize_t>(found.size());
  } catch (const std::exception&) {
    return false;
  }
}

/// Runs `find` in a child.
Needle needle_from(const std::function<Bytes()>& find) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    throw std::runtime_error("pipe failed");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(tell(find, ends[1]) ? 0 : 1);
  }
  ::close(ends[1]);
  Bytes inverted(kMaxNeedle);
  inverted.resize(static_cast<std::size_t>(
      std::max<ssize_t>(0, ::read(ends[0], inverted.data(), inverted.size()))));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_GE(inverted.size(), 16U);
  return Needle::of_inverted(std::move(inverted));
}

/// Wherever that is.
std::size_t places_of(const Needle& needle) {
  const test::Sightings sightings = test::look_for(needle);
  return sightings.secure_heap + sightings.elsewhere;
}

Bytes rsa_decrypted(const PrivateKey& key, const Bytes& encrypted, const char* padding) {
  const EvpPkeyCtxPtr context(::EVP_PKEY_CTX_new_from_pkey(library(), key.evp(), nullptr));
  std::string mode(padding);
  std::string digest("SHA2-256");
  const std::array<OSSL_PARAM, 3> params = {
      ::OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, mode.data(), 0),
      ::OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_end()};
  require(::EVP_PKEY_decrypt_init_ex(context.get(), params.data()), "EVP_PKEY_decrypt_init_ex");
  Bytes out(512);
  std::size_t size = out.size();
  require(::EVP_PKEY_decrypt(context.get(), out.data(), &size, encrypted.data(), encrypted.size()),
          "EVP_PKEY_decrypt");
  out.resize(size);
  return out;
}

Bytes shared_secret(const PrivateKey& key, const Bytes& point) {
  const EvpPkeyPtr peer(::EVP_PKEY_new());
  require(::EVP_PKEY_copy_parameters(peer.get(), key.evp()), "EVP_PKEY_copy_parameters");
  require(::EVP_PKEY_set1_encoded_public_key(peer.get(), point.data(), point.size()),
          "EVP_PKEY_set1_encoded_public_key");
  const EvpPkeyCtxPtr context(::EVP_PKEY_CTX_new_from_pkey(library(), key.evp(), nullptr));
  require(::EVP_PKEY_derive_init(context.get()), "EVP_PKEY_derive_init");
  require(::EVP_PKEY_derive_set_peer(context.get(), peer.get()), "EVP_PKEY_derive_set_peer");
  Bytes out(66);
  std::size_t size = out.size();
  require(::EVP_PKEY_derive(context.get(), out.data(), &size), "EVP_PKEY_derive");
  out.resize(size);
  return out;
}

Bytes derived_key(const Bytes& secret, const Bytes& ukm) {
  const EvpKdfPtr kdf(::EVP_KDF_fetch(library(), OSSL_KDF_NAME_X963KDF, nullptr));
  const EvpKdfCtxPtr context(::EVP_KDF_CTX_new(kdf.get()));
  Bytes key = secret;
  Bytes info =
      der::sequence({from_hex("300b0609608648016503040105"), der::tlv(0xA0, der::octet_string(ukm)),
                     der::tlv(0xA2, der::octet_string(from_hex("00000080")))});
  std::string digest("SHA2-256");
  const std::array<OSSL_PARAM, 4> params = {
      ::OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      ::OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      ::OSSL_PARAM_construct_end()};
  Bytes out(16);
  require(::EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()), "EVP_KDF_derive");
  return out;
}

SecureBytes random_secret(std::size_t size) {
  open_secure_heap(1U << 20U);
  SecureBytes secret(size);
  random_fill(secret.span());
  return secret;
}

TEST(KeyResidue, TheSearchFindsWhatIsThere) {
  const Bytes kept{0x11, 0x52, 0x93, 0xD4, 0x15, 0x56, 0x97, 0xD8,
                   0x19, 0x5A, 0x9B, 0xDC, 0x1D, 0x5E, 0x9F, 0xE0};
  const Needle needle = needle_from([&] { return kept; });
  EXPECT_NE(places_of(needle), 0U);
}

// Each step alone, so that no later allocation covers up what it left.

TEST(KeyResidue, AWrappedContentKeyIsForgotten) {
  const Bytes wrapping_key(32, 0x5A);
  for (const KeyWrap& wrap : known_key_wraps()) {
    Needle needle;
    {
      const SecureBytes content_key = random_secret(32);
      needle = Needle(content_key.view());
      static_cast<void>(wrap_key(wrap, ByteView(wrapping_key).first(wrap.bits / 8), content_key));
    }
    EXPECT_EQ(places_of(needle), 0U) << wrap.cipher;
  }
}

TEST(KeyResidue, EncryptedContentIsForgottenWithItsKey) {
  for (const ContentCipher& cipher : known_content_ciphers()) {
    Needle key_needle;
    std::array<Needle, 3> content_needles;
    {
      const SecureBytes key = random_secret(cipher.bits / 8);
      const SecureBytes content = random_secret(1001);  // the last block is not whole
      key_needle = Needle(key.view());
      content_needles = {Needle(content.view().first(16)), Needle(content.view().subspan(480, 32)),
                         Needle(content.view().last(9))};
      static_cast<void>(encrypt_content(cipher, key, Bytes(16), content));
    }
    EXPECT_EQ(places_of(key_needle), 0U) << cipher.cipher;
    for (const Needle& needle : content_needles) {
      EXPECT_EQ(places_of(needle), 0U) << cipher.cipher;
    }
  }
}

TEST(KeyResidue, APackedKeyIsForgotten) {
  for (const char* kind : {"P-256", "P-384", "RSA-2048"}) {
    const Issuer signer = signer_of(kind);
    Needle needle;
    {
      const SecureBytes secret = random_secret(32);
      needle = Needle(secret.view());
      const SecureBytes pkcs8 =
          der::Layout::sequence(
              {der::small_integer(0), der::sequence({der::oid("1.3.101.112")}),
               der::Layout::element(0x04,
                                    {der::Layout::element(0x04, {der::Layout::secret(secret)})})})
              .written();
      static_cast<void>(signed_key_package(pkcs8, signer.key, signer.certificate, kNow));
    }
    EXPECT_EQ(places_of(needle), 0U) << kind;
  }
}

TEST(KeyResidue, AContentKeyForRsaIsForgottenInEveryForm) {
  const PrivateKey key = test::software_key("RSA-2048");
  const KeyRecipient::Transport transport{key.public_key(), known_key_transports()[0]};
  const Bytes encrypted = encrypt_key(transport, random_secret(32));
  EXPECT_EQ(places_of(needle_from(
                [&] { return rsa_decrypted(key, encrypted, OSSL_PKEY_RSA_PAD_MODE_OAEP); })),
            0U);
  // The encoded message gives the content key to anybody (oaep.h). Its middle, and backwards: so a
  // big number lies in memory.
  for (const bool backwards : {false, true}) {
    EXPECT_EQ(places_of(needle_from([&] {
                const Bytes encoded = rsa_decrypted(key, encrypted, OSSL_PKEY_RSA_PAD_MODE_NONE);
                Bytes middle(encoded.begin() + 64, encoded.begin() + 128);
                if (backwards) {
                  std::ranges::reverse(middle);
                }
                return middle;
              })),
              0U)
        << backwards;
  }
}

TEST(KeyResidue, AnAgreedKeyIsForgottenWithTheSharedSecret) {
  const PrivateKey key = test::software_key("P-256");
  const KeyRecipient::Agreement agreement{key.public_key(),
                                          {known_key_agreement_schemes()[0], known_key_wraps()[0]}};
  open_secure_heap(1U << 20U);
  Needle secret;
  Needle key_needle;
  {
    const AgreedKey agreed = agree_on_key(agreement);
    secret = needle_from([&] { return shared_secret(key, agreed.ephemeral_point); });
    key_needle = needle_from([&] {
      const Bytes derived = derived_key(shared_secret(key, agreed.ephemeral_point), agreed.ukm);
      return std::ranges::equal(derived, agreed.key.view()) ? derived : Bytes();
    });
  }
  EXPECT_EQ(places_of(secret), 0U);
  EXPECT_EQ(places_of(key_needle), 0U);
}

TEST(KeyResidue, APfxForgetsItsKey) {
  const Issuer owner = signer_of("P-256");
  Needle needle;
  {
    const SecureBytes pkcs8 = random_secret(138);
    needle = Needle(pkcs8.view().subspan(32, 32));
    static_cast<void>(
        pkcs12(shroud_key(pkcs8, Secret(std::string_view("kitten"))), owner.certificate));
  }
  EXPECT_EQ(places_of(needle), 0U);
}

}  // namespace
}  // namespace estia::crypto
