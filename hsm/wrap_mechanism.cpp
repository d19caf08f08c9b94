// SPDX-License-Identifier: Apache-2.0
#include "hsm/wrap_mechanism.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"
#include "hsm/ckr.h"

namespace estia::hsm {
namespace {

constexpr CK_MECHANISM_TYPE kAesKeyWrapKwp = 0x210B;  // PKCS #11 3.0; Debian 12's header lacks it
constexpr std::size_t kAesBlock = 16;
constexpr std::size_t kSemiblock = 8;  // RFC 3394's unit
constexpr std::size_t kLongestWrapped = 64UL * 1024;

/// More than RSA-4096 takes. Asking the token for the length first would make it wrap twice, and
/// NSS's answer is too small.
constexpr std::size_t kLongestPrivateKey = 8192;

constexpr std::array<WrapMechanism, 4> kKnown = {{
    {kAesKeyWrapKwp, WrapReading::rfc5649, "CKM_AES_KEY_WRAP_KWP"},
    {CKM_AES_KEY_WRAP_PAD, WrapReading::rfc5649, "CKM_AES_KEY_WRAP_PAD (RFC 5649)"},
    {CKM_AES_KEY_WRAP_PAD, WrapReading::rfc3394_pkcs7, "CKM_AES_KEY_WRAP_PAD (RFC 3394, PKCS #7)"},
    {CKM_AES_CBC_PAD, WrapReading::cbc_pkcs7, "CKM_AES_CBC_PAD"},
}};

[[noreturn]] void refuse(const std::string& why) {
  throw token_unavailable("token.wrap_failed", "a wrapped key that does not unwrap: " + why);
}

const char* cipher_of(WrapReading reading) noexcept {
  switch (reading) {
    case WrapReading::rfc5649:
      return "AES-256-WRAP-PAD";
    case WrapReading::rfc3394_pkcs7:
      return "AES-256-WRAP";
    case WrapReading::cbc_pkcs7:
      break;
  }
  return "AES-256-CBC";
}

/// OpenSSL keeps the expanded key in ordinary memory for as long as the context lives, and wipes it
/// there.
SecureBytes decrypt(const char* name, ByteView key, const std::uint8_t* iv, ByteView input) {
  const crypto::EvpCipherPtr cipher(
      crypto::require(::EVP_CIPHER_fetch(crypto::library(), name, nullptr), "EVP_CIPHER_fetch"));
  const crypto::EvpCipherCtxPtr context(
      crypto::require(::EVP_CIPHER_CTX_new(), "EVP_CIPHER_CTX_new"));
  ::EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  crypto::require(::EVP_DecryptInit_ex2(context.get(), cipher.get(), key.data(), iv, nullptr),
                  "EVP_DecryptInit_ex2");
  SecureBytes plain(input.size() + kAesBlock);
  int size = 0;
  int rest = 0;
  if (::EVP_DecryptUpdate(context.get(), plain.data(), &size, input.data(),
                          static_cast<int>(input.size())) != 1 ||
      size < 0 || ::EVP_DecryptFinal_ex(context.get(), plain.data() + size, &rest) != 1) {
    refuse(crypto::drain_errors());
  }
  plain.shrink(static_cast<std::size_t>(size) + static_cast<std::size_t>(rest));
  return plain;
}

void remove_pkcs7(SecureBytes& padded) {
  const ByteView all = padded.view();
  const std::size_t padding = all.empty() ? 0 : all.back();
  if (padding == 0 || padding > std::min(kAesBlock, all.size()) ||
      !std::ranges::all_of(all.last(padding), [&](auto byte) { return byte == padding; })) {
    refuse("no PKCS #7 padding");
  }
  padded.shrink(all.size() - padding);
}

}  // namespace

std::span<const WrapMechanism> WrapMechanism::known() noexcept {
  return kKnown;
}

WrappedKey wrap(const WrapMechanism& mechanism, const Module& module, CK_SESSION_HANDLE session,
                CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE object) {
  WrappedKey wrapped{.iv = {}, .content = Bytes(kLongestPrivateKey)};
  CK_MECHANISM call{mechanism.type, nullptr, 0};
  if (mechanism.reading == WrapReading::cbc_pkcs7) {
    wrapped.iv.resize(kWrapIvSize);
    random_fill(wrapped.iv);
    call.pParameter = wrapped.iv.data();
    call.ulParameterLen = wrapped.iv.size();
  }
  CK_ULONG size = wrapped.content.size();
  check(module->C_WrapKey(session, &call, wrapping_key, object, wrapped.content.data(), &size),
        "C_WrapKey");
  if (size > wrapped.content.size()) {
    throw token_error(CKR_BUFFER_TOO_SMALL, "C_WrapKey");
  }
  wrapped.content.resize(size);
  return wrapped;
}

SecureBytes unwrap(WrapReading reading, ByteView key, ByteView iv, ByteView wrapped) {
  constexpr std::size_t kKeySize = 32;
  const bool cbc = reading == WrapReading::cbc_pkcs7;
  if (key.size() != kKeySize || (cbc && iv.size() != kWrapIvSize)) {
    refuse("a key or an initialisation vector of another length");
  }
  if (wrapped.size() < 2 * kSemiblock || wrapped.size() > kLongestWrapped ||
      wrapped.size() % (cbc ? kAesBlock : kSemiblock) != 0) {
    refuse(std::to_string(wrapped.size()) + " bytes");
  }
  SecureBytes plain = decrypt(cipher_of(reading), key, cbc ? iv.data() : nullptr, wrapped);
  if (reading == WrapReading::rfc3394_pkcs7) {
    remove_pkcs7(plain);
  }
  return plain;
}

}  // namespace estia::hsm
