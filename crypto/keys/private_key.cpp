// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/private_key.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"

namespace estia::crypto {
namespace {

std::optional<Error>& pending_error() {
  thread_local std::optional<Error> pending;
  return pending;
}

EvpPkeyPtr generate(const KeySpec& spec) {
  if (!spec.curve_oid.empty()) {
    return EvpPkeyPtr(::EVP_PKEY_Q_keygen(library(), nullptr, "EC", spec.name.c_str()));
  }
  if (spec.name == "Ed25519") {
    return EvpPkeyPtr(::EVP_PKEY_Q_keygen(library(), nullptr, "ED25519"));
  }
  return EvpPkeyPtr(
      ::EVP_PKEY_Q_keygen(library(), nullptr, "RSA", static_cast<std::size_t>(spec.bits)));
}

[[noreturn]] void signing_failed() {
  const std::string queue = drain_errors();
  rethrow_pending_error();
  throw Error(ErrorCode::internal, "openssl.failed", "internal error", "EVP_DigestSign: " + queue);
}

EvpMdCtxPtr new_context() {
  return EvpMdCtxPtr(require(::EVP_MD_CTX_new(), "EVP_MD_CTX_new"));
}

[[noreturn]] void refuse_pem(const char* why) {
  throw Error(ErrorCode::config, "key.pem", "not an unencrypted PKCS#8 private key in PEM", why);
}

}  // namespace

/// A context for the algorithm that was asked for first, made by that signature: each one gets a
/// copy. EVP_DigestSignInit_ex finds key management, signature and digest by their names, and for
/// a token key tries OpenSSL's own provider before: two thirds of our way to the token.
struct PrivateKey::Prepared {
  std::mutex mutex;     // guards what follows; once it is made, it is only read
  EvpMdCtxPtr context;  // holds the key as well
  std::string digest;
};

PrivateKey::PrivateKey(EvpPkeyPtr key, PublicKey public_half)
    : key_(key.release(), ::EVP_PKEY_free),
      prepared_(std::make_shared<Prepared>()),
      public_half_(std::move(public_half)) {}

PrivateKey PrivateKey::generate_software(const KeySpec& spec) {
  EvpPkeyPtr key = generate(spec);
  require(key.get(), "EVP_PKEY_Q_keygen");
  PublicKey public_half = PublicKey::of(key.get());
  return {std::move(key), std::move(public_half)};
}

PrivateKey PrivateKey::from_pem(const Secret& pem) {
  constexpr std::string_view kEnd = "-----END PRIVATE KEY-----";
  const std::size_t end = pem.text().find(kEnd);
  // PEM readers skip what is around the armour; a file that holds more than the key is a mistake.
  if (!pem.text().starts_with("-----BEGIN PRIVATE KEY-----") || end == std::string_view::npos ||
      pem.text().find_first_not_of(" \t\r\n", end + kEnd.size()) != std::string_view::npos) {
    refuse_pem("wrong armour, or text around it");
  }
  const BioPtr bio(require(::BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())),
                           "BIO_new_mem_buf"));
  // A callback that gives nothing: never a prompt on a terminal.
  const auto no_password = [](char*, int, int, void*) -> int { return -1; };
  EvpPkeyPtr key(
      ::PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_password, nullptr, library(), nullptr));
  if (!key) {
    refuse_pem(drain_errors().c_str());
  }
  try {
    PublicKey public_half = PublicKey::of(key.get());
    return {std::move(key), std::move(public_half)};
  } catch (const Error& error) {
    refuse_pem(error.detail().c_str());
  }
}

Secret PrivateKey::to_pem() const {
  const BioPtr bio(require(::BIO_new(::BIO_s_secmem()), "BIO_new"));
  if (::PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) != 1) {
    static_cast<void>(drain_errors());
    throw Error(ErrorCode::internal, "key.not_exportable", "internal error",
                "the key does not leave its token");
  }
  char* data = nullptr;
  const long size = ::BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string_view(data, static_cast<std::size_t>(size)));
}

EvpMdCtxPtr PrivateKey::begin(const SignatureAlgorithm& algorithm) const {
  EvpMdCtxPtr context = new_context();
  const std::string& digest = algorithm.digest;
  const auto initialize = [&](EVP_MD_CTX* fresh) {
    if (::EVP_DigestSignInit_ex(fresh, nullptr, digest.empty() ? nullptr : digest.c_str(),
                                library(), nullptr, key_.get(), nullptr) != 1) {
      signing_failed();
    }
  };
  const EVP_MD_CTX* prepared = nullptr;
  {
    const std::scoped_lock lock(prepared_->mutex);
    if (!prepared_->context) {
      EvpMdCtxPtr first = new_context();
      initialize(first.get());
      prepared_->context = std::move(first);
      prepared_->digest = digest;
    }
    if (prepared_->digest == digest) {
      prepared = prepared_->context.get();
    }
  }
  if (prepared == nullptr) {
    initialize(context.get());
  } else if (::EVP_MD_CTX_copy_ex(context.get(), prepared) != 1) {
    signing_failed();
  }
  return context;
}

Bytes PrivateKey::sign(ByteView message, const SignatureAlgorithm& algorithm) const {
  clear_pending_error();
  const EvpMdCtxPtr context = begin(algorithm);
  std::size_t size = 0;
  const bool sized =
      ::EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1;
  Bytes signature(sized ? size : 0);
  if (!sized || ::EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                                 message.size()) != 1) {
    signing_failed();
  }
  signature.resize(size);
  return signature;
}

void leave_pending_error(const Error& error) noexcept {
  try {
    pending_error() = error;
  } catch (...) {  // copying the texts ran out of memory: the caller still sees OpenSSL's failure
    pending_error().reset();
  }
}

void rethrow_pending_error() {
  if (auto error = std::exchange(pending_error(), std::nullopt)) {
    throw Error(std::move(*error));
  }
}

void clear_pending_error() noexcept {
  pending_error().reset();
}

}  // namespace estia::crypto
