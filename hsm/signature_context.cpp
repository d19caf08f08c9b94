// SPDX-License-Identifier: Apache-2.0
#include "hsm/signature_context.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/keys/signature_algorithm.h"
#include "crypto/openssl/require.h"

namespace estia::hsm::provider {
namespace {

[[noreturn]] void unsupported(const std::string& what) {
  throw Error(ErrorCode::internal, "token.signature_unsupported", "internal error",
              "a token key was asked for " + what);
}

/// A text parameter; "" if it is not one.
std::string text_of(const OSSL_PARAM& parameter) {
  const char* text = nullptr;
  return ::OSSL_PARAM_get_utf8_string_ptr(&parameter, &text) == 1 && text != nullptr ? text : "";
}

bool is_text(const OSSL_PARAM& parameter) noexcept {
  return parameter.data_type == OSSL_PARAM_UTF8_STRING ||
         parameter.data_type == OSSL_PARAM_UTF8_PTR;
}

int number_of(const OSSL_PARAM& parameter, const char* what) {
  int number = 0;
  if (::OSSL_PARAM_get_int(&parameter, &number) != 1) {
    unsupported(what);
  }
  return number;
}

const SignDigest& known_digest(const std::string& name) {
  const SignDigest* found = SignDigest::find(name);
  if (found == nullptr) {
    unsupported("the digest " + name);
  }
  return *found;
}

bool answer_text(OSSL_PARAM parameters[], const char* name, std::string_view value) {
  OSSL_PARAM* wanted = ::OSSL_PARAM_locate(parameters, name);
  return wanted == nullptr || ::OSSL_PARAM_set_utf8_string(wanted, value.data()) == 1;
}

}  // namespace

SignatureContext::SignatureContext(const SignatureContext& other)
    : key_(other.key_),
      digest_(other.digest_),
      pss_(other.pss_),
      salt_(other.salt_),
      mask_digest_(other.mask_digest_) {
  if (other.hash_) {
    hash_.reset(crypto::require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
    crypto::require(::EVP_MD_CTX_copy_ex(hash_.get(), other.hash_.get()), "EVP_MD_CTX_copy_ex");
  }
}

const SigningKey& SignatureContext::key() const {
  if (!key_) {
    unsupported("a signature without a key");
  }
  return *key_;
}

const SignDigest& SignatureContext::digest() const {
  if (digest_ == nullptr) {
    unsupported("a signature over a hash of unknown kind");
  }
  return *digest_;
}

void SignatureContext::begin(std::shared_ptr<const SigningKey> key, const OSSL_PARAM parameters[]) {
  if (key) {
    key_ = std::move(key);
  }
  static_cast<void>(this->key());
  hash_.reset();
  set(parameters);
}

void SignatureContext::begin_message(std::shared_ptr<const SigningKey> key, const char* digest,
                                     const OSSL_PARAM parameters[]) {
  begin(std::move(key), nullptr);
  const bool named = digest != nullptr && *digest != '\0';
  if (this->key().kind() == KeyKind::ed25519) {
    if (named) {
      unsupported("Ed25519 with a digest");
    }
    return set(parameters);
  }
  const auto& usual = crypto::SignatureAlgorithm::for_key(this->key().public_key()).digest;
  choose_digest(named ? digest : usual.c_str());
  set(parameters);
  hash_.reset(crypto::require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
  crypto::require(::EVP_DigestInit_ex2(hash_.get(), this->digest().md(), nullptr),
                  "EVP_DigestInit_ex2");
}

void SignatureContext::update(ByteView part) {
  if (!hash_) {
    unsupported("a message in parts");
  }
  crypto::require(::EVP_DigestUpdate(hash_.get(), part.data(), part.size()), "EVP_DigestUpdate");
}

std::size_t SignatureContext::longest() const {
  return key().longest_signature();
}

Bytes SignatureContext::finish() {
  if (!hash_) {
    unsupported("the end of a message without its start");
  }
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  crypto::require(::EVP_DigestFinal_ex(hash_.get(), hash.data(), &size), "EVP_DigestFinal_ex");
  return sign_hash({hash.data(), size});
}

Bytes SignatureContext::sign_message(ByteView whole) {
  if (key().kind() == KeyKind::ed25519) {
    SignMechanism mechanism(CKM_EDDSA);
    return key().sign(mechanism, whole);
  }
  update(whole);
  return finish();
}

Bytes SignatureContext::sign_hash(ByteView hash) const {
  if (hash.size() != digest().size) {
    unsupported("a hash of the wrong length");
  }
  if (key().kind() == KeyKind::ec) {
    // Tokens may refuse a hash longer than the group's order; its left part is what counts
    // (FIPS 186-4 6.4).
    const std::size_t order = (key().public_key().spec()->bits + 7U) / 8U;
    SignMechanism mechanism(CKM_ECDSA);
    return key().sign(mechanism, hash.first(std::min(hash.size(), order)));
  }
  if (key().kind() != KeyKind::rsa) {
    unsupported("Ed25519 over a hash");
  }
  if (!pss_) {
    SignMechanism mechanism(CKM_RSA_PKCS);
    return key().sign(mechanism, digest_info(digest(), hash));
  }
  if (mask_digest_ != nullptr && mask_digest_ != digest_) {
    unsupported("RSA-PSS with a mask of another digest");
  }
  SignMechanism mechanism(digest(), salt_length());
  return key().sign(mechanism, hash);
}

unsigned SignatureContext::salt_length() const {
  const unsigned hash = static_cast<unsigned>(digest().size);
  const unsigned encoded = (key().public_key().spec()->bits + 6U) / 8U;  // emLen of RFC 8017 9.1.1
  const unsigned most = encoded - hash - 2;
  if (salt_ == RSA_PSS_SALTLEN_DIGEST) {
    return hash;
  }
  if (salt_ == RSA_PSS_SALTLEN_MAX || salt_ == RSA_PSS_SALTLEN_AUTO) {
    return most;
  }
  if (salt_ < 0 || static_cast<unsigned>(salt_) > most) {
    unsupported("a salt of impossible length");
  }
  return static_cast<unsigned>(salt_);
}

Bytes SignatureContext::algorithm_identifier() const {
  switch (key().kind()) {
    case KeyKind::ec:
      return ecdsa_identifier(digest());
    case KeyKind::rsa:
      return pss_ ? rsa_pss_identifier(digest(), salt_length()) : rsa_pkcs1_identifier(digest());
    case KeyKind::ed25519:
      break;
  }
  return ed25519_identifier();
}

void SignatureContext::choose_digest(const char* name) {
  if (hash_) {
    unsupported("another digest in the middle of a message");
  }
  digest_ = &known_digest(name);
}

void SignatureContext::set(const OSSL_PARAM parameters[]) {
  if (parameters == nullptr) {
    return;
  }
  for (const OSSL_PARAM* p = parameters; p->key != nullptr; ++p) {
    const std::string_view name = p->key;
    if (name == OSSL_SIGNATURE_PARAM_DIGEST) {
      choose_digest(text_of(*p).c_str());
    } else if (key().kind() != KeyKind::rsa) {
      continue;  // OpenSSL leaves out what an algorithm does not know; so do we
    } else if (name == OSSL_SIGNATURE_PARAM_PAD_MODE) {
      set_padding(*p);
    } else if (name == OSSL_SIGNATURE_PARAM_PSS_SALTLEN) {
      set_salt(*p);
    } else if (name == OSSL_SIGNATURE_PARAM_MGF1_DIGEST) {
      mask_digest_ = &known_digest(text_of(*p));
    }
  }
}

void SignatureContext::set_padding(const OSSL_PARAM& parameter) {
  const bool text = is_text(parameter);
  const std::string name = text ? text_of(parameter) : "";
  const int number = text ? 0 : number_of(parameter, "an unreadable padding");
  if (name == OSSL_PKEY_RSA_PAD_MODE_PSS || number == RSA_PKCS1_PSS_PADDING) {
    pss_ = true;
  } else if (name == OSSL_PKEY_RSA_PAD_MODE_PKCSV15 || number == RSA_PKCS1_PADDING) {
    pss_ = false;
  } else {
    unsupported("another RSA padding");
  }
}

void SignatureContext::set_salt(const OSSL_PARAM& parameter) {
  if (!is_text(parameter)) {
    salt_ = number_of(parameter, "an unreadable salt length");
    return;
  }
  const std::string text = text_of(parameter);
  if (text == OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) {
    salt_ = RSA_PSS_SALTLEN_DIGEST;
  } else if (text == OSSL_PKEY_RSA_PSS_SALT_LEN_MAX || text == OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO) {
    salt_ = RSA_PSS_SALTLEN_MAX;
  } else {
    int number = -1;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || number < 0) {
      unsupported("an unreadable salt length");
    }
    salt_ = number;
  }
}

bool SignatureContext::get(OSSL_PARAM parameters[]) const {
  if (OSSL_PARAM* wanted = ::OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_ALGORITHM_ID)) {
    const Bytes identifier = algorithm_identifier();
    if (::OSSL_PARAM_set_octet_string(wanted, identifier.data(), identifier.size()) != 1) {
      return false;
    }
  }
  if (key().kind() == KeyKind::ed25519) {
    return true;
  }
  return answer_text(parameters, OSSL_SIGNATURE_PARAM_DIGEST,
                     digest_ == nullptr ? "" : digest_->name) &&
         (key().kind() != KeyKind::rsa || get_pss(parameters));
}

bool SignatureContext::get_pss(OSSL_PARAM parameters[]) const {
  if (OSSL_PARAM* padding = ::OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PAD_MODE)) {
    const int number = pss_ ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    const char* name = pss_ ? OSSL_PKEY_RSA_PAD_MODE_PSS : OSSL_PKEY_RSA_PAD_MODE_PKCSV15;
    if ((is_text(*padding) ? ::OSSL_PARAM_set_utf8_string(padding, name)
                           : ::OSSL_PARAM_set_int(padding, number)) != 1) {
      return false;
    }
  }
  if (OSSL_PARAM* salt = ::OSSL_PARAM_locate(parameters, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) {
    const unsigned length = salt_length();
    const std::string text = std::to_string(length);
    if ((is_text(*salt) ? ::OSSL_PARAM_set_utf8_string(salt, text.c_str())
                        : ::OSSL_PARAM_set_int(salt, static_cast<int>(length))) != 1) {
      return false;
    }
  }
  const SignDigest* mask = mask_digest_ != nullptr ? mask_digest_ : digest_;
  return answer_text(parameters, OSSL_SIGNATURE_PARAM_MGF1_DIGEST,
                     mask == nullptr ? "" : mask->name);
}

}  // namespace estia::hsm::provider
