// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/digest.h"

#include <array>
#include <string>

#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

const EVP_MD* sha256_algorithm() {
  // Fetched once: a fetch per digest costs more than the digest. Never freed, like the library
  // context it lives in.
  static const EVP_MD* const algorithm =
      require(::EVP_MD_fetch(library(), "SHA2-256", nullptr), "EVP_MD_fetch");
  return algorithm;
}

}  // namespace

Sha256::Sha256() : context_(require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new")) {
  require(::EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr), "EVP_DigestInit_ex2");
}

void Sha256::update(ByteView bytes) {
  require(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "EVP_DigestUpdate");
}

void Sha256::field(ByteView bytes) {
  std::array<std::uint8_t, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(bytes.size() >> (8 * (length.size() - 1 - i)));
  }
  update(length);
  update(bytes);
}

Bytes Sha256::finish() {
  Bytes out(32);
  unsigned size = 0;
  require(::EVP_DigestFinal_ex(context_.get(), out.data(), &size), "EVP_DigestFinal_ex");
  return out;
}

Bytes sha256(ByteView bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

Bytes digest(std::string_view name, std::initializer_list<ByteView> parts) {
  const EvpMdPtr algorithm(
      require(::EVP_MD_fetch(library(), std::string(name).c_str(), nullptr), "EVP_MD_fetch"));
  const EvpMdCtxPtr context(require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
  require(::EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr), "EVP_DigestInit_ex2");
  for (const ByteView part : parts) {
    require(::EVP_DigestUpdate(context.get(), part.data(), part.size()), "EVP_DigestUpdate");
  }
  Bytes out(static_cast<std::size_t>(::EVP_MD_get_size(algorithm.get())));
  unsigned size = 0;
  require(::EVP_DigestFinal_ex(context.get(), out.data(), &size), "EVP_DigestFinal_ex");
  return out;
}

Bytes sha512(ByteView bytes) {
  return digest("SHA2-512", {bytes});
}

}  // namespace estia::crypto
