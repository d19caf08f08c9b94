// SPDX-License-Identifier: Apache-2.0
#include "hsm/wrapping_key.h"

#include <openssl/rsa.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/keys/private_key.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "hsm/attachment.h"
#include "hsm/ckr.h"
#include "hsm/oaep_wrap.h"
#include "hsm/secret_key.h"

namespace estia::hsm {
namespace {

using crypto::require;

constexpr const char* kTransportKind = "RSA-3072";
constexpr std::size_t kTransportSize = 3072 / 8;

SecureBytes open_transport(const crypto::PrivateKey& key, std::string_view digest,
                           ByteView wrapped) {
  const crypto::EvpPkeyCtxPtr context(
      require(::EVP_PKEY_CTX_new_from_pkey(crypto::library(), key.evp(), nullptr),
              "EVP_PKEY_CTX_new_from_pkey"));
  require(::EVP_PKEY_decrypt_init(context.get()), "EVP_PKEY_decrypt_init");
  require(::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING),
          "EVP_PKEY_CTX_set_rsa_padding");
  require(::EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), std::string(digest).c_str(), nullptr),
          "EVP_PKEY_CTX_set_rsa_oaep_md_name");
  SecureBytes plain(kTransportSize);
  std::size_t size = plain.size();
  if (::EVP_PKEY_decrypt(context.get(), plain.data(), &size, wrapped.data(), wrapped.size()) != 1 ||
      size != kWrappingSecretSize) {
    throw token_unavailable("token.wrap_failed",
                            "the wrapping key does not unwrap: " + crypto::drain_errors());
  }
  plain.shrink(size);
  return plain;
}

/// True for what the token says no to, false for a token that is gone.
bool is_refusal(const Error& error) {
  return error.id() == "token.unsupported" || error.id() == "token.failed" ||
         error.id() == "token.wrap_failed";
}

}  // namespace

crypto::PrivateKey WrappingKey::make_transport() {
  return crypto::PrivateKey::generate_software(crypto::KeySpec::parse(kTransportKind));
}

WrappingKey::WrappingKey(std::shared_ptr<Attachment> attached, const crypto::PrivateKey& transport)
    : attached_(std::move(attached)) {
  const ErrorQueueGuard queue;
  attached_->login().lend([&](CK_SESSION_HANDLE session) {
    try {
      make_in_token(session, transport);
    } catch (const Error& error) {
      if (!is_refusal(error)) {
        throw;
      }
      origin_ = WrappingKeyOrigin::process;
      import(session);
    }
  });
}

WrappingKey::~WrappingKey() {
  const ErrorQueueGuard queue;
  attached_->login().destroy(object_);
}

CK_OBJECT_HANDLE WrappingKey::object() const {
  if (!attached_->current()) {
    throw token_error(CKR_OBJECT_HANDLE_INVALID, "the wrapping key of a login that was lost");
  }
  return object_;
}

/// Every digest is tried: which ones the token has tells what it can encrypt for clients.
void WrappingKey::make_in_token(CK_SESSION_HANDLE session, const crypto::PrivateKey& transport) {
  const Module& module = attached_->module();
  SessionObject key = make_wrapping_secret(module, session);
  std::optional<Error> refused;
  for (const std::string_view digest : kOaepDigests) {
    try {
      SecureBytes value =
          open_transport(transport, digest,
                         oaep_wrap(module, session, key.handle(), transport.public_key(), digest));
      value_ = std::move(value);
      oaep_digests_.emplace_back(digest);
    } catch (const Error& error) {
      if (!is_refusal(error)) {
        throw;
      }
      refused_ += (refused_.empty() ? "" : "; ") + std::string("RSAES-OAEP, ") +
                  std::string(digest) + ": " + error.detail();
      refused = error;
    }
  }
  if (oaep_digests_.empty()) {
    throw Error(*refused);
  }
  object_ = key.release();
}

void WrappingKey::import(CK_SESSION_HANDLE session) {
  SecureBytes value(kWrappingSecretSize);
  random_fill(value.span());
  Template wanted = wrapping_secret();
  wanted.flag(CKA_EXTRACTABLE, false);
  std::vector<CK_ATTRIBUTE> with_value(wanted.data(), wanted.data() + wanted.size());
  with_value.push_back({CKA_VALUE, value.data(), value.size()});  // not copied: see Template
  check(
      attached_->module()->C_CreateObject(session, with_value.data(), with_value.size(), &object_),
      "C_CreateObject");
  value_ = std::move(value);
}

}  // namespace estia::hsm
