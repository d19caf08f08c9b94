// SPDX-License-Identifier: Apache-2.0
#include "bench/signers.h"

#include <openssl/evp.h>

#include <stdexcept>

#include "crypto/base/der.h"
#include "crypto/openssl/require.h"
#include "hsm/ckr.h"
#include "hsm/key_store.h"
#include "hsm/sign_mechanism.h"

namespace estia::bench {
namespace {

constexpr std::size_t kLongestSignature = 1024;

/// About as long as what a CA signs.
const Bytes& message() {
  constexpr std::size_t kCertificate = 500;
  static const Bytes text(kCertificate, 0x5A);
  return text;
}

bool is_rsa(const crypto::PublicKey& key) {
  return key.spec()->name.starts_with("RSA");
}

CK_MECHANISM_TYPE mechanism_of(const crypto::PublicKey& key) {
  return is_rsa(key) ? CKM_RSA_PKCS : key.spec()->curve_oid.empty() ? CKM_EDDSA : CKM_ECDSA;
}

/// What the token signs in place of the message.
Bytes input_of(const crypto::PublicKey& key) {
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key);
  if (algorithm.digest.empty()) {
    return message();
  }
  const hsm::SignDigest& digest = *hsm::SignDigest::find(algorithm.digest);
  Bytes hash(digest.size);
  crypto::require(
      ::EVP_Digest(message().data(), message().size(), hash.data(), nullptr, digest.md(), nullptr),
      "EVP_Digest");
  return is_rsa(key) ? hsm::digest_info(digest, hash) : hash;
}

/// A token's ECDSA is r and s side by side.
Bytes encoded(const crypto::PublicKey& key, ByteView raw) {
  if (key.spec()->curve_oid.empty()) {
    return {raw.begin(), raw.end()};
  }
  const std::size_t half = raw.size() / 2;
  return der::sequence({der::integer(raw.first(half)), der::integer(raw.subspan(half))});
}

void check_signature(const crypto::PublicKey& key, ByteView signature) {
  if (!key.verify(message(), signature, crypto::SignatureAlgorithm::for_key(key))) {
    throw std::runtime_error("a signature of " + key.spec()->name + " does not verify");
  }
}

}  // namespace

Way sign_with(const crypto::PrivateKey& key, std::size_t threads, Verified verified) {
  return {.threads = threads, .begin = [&key, verified](std::size_t) -> Way::Operation {
            return [&key, verified,
                    &algorithm = crypto::SignatureAlgorithm::for_key(key.public_key())] {
              const Bytes signature = key.sign(message(), algorithm);
              if (verified == Verified::yes) {
                check_signature(key.public_key(), signature);
              }
            };
          }};
}

BareSessions::BareSessions(const hsm::TokenConfig& config, std::size_t threads)
    : core_(config), attached_(core_.attachment()) {
  for (std::size_t i = 0; i < threads; ++i) {
    sessions_.push_back(attached_->pool().borrow());
    sessions_.back().keep();
  }
}

BareSigner::BareSigner(const BareSessions& sessions, const std::string& label,
                       const crypto::PublicKey& public_half, Object object)
    : sessions_(sessions),
      public_half_(public_half),
      mechanism_(mechanism_of(public_half)),
      input_(input_of(public_half)) {
  hsm::Attachment& attached = sessions.attached();
  const hsm::Objects objects(attached.module(), sessions.of(0));
  object_ = find_pair(objects, hsm::KeyUri::for_object(attached.slot().token.label, label, {}))
                .private_object;
  if (object == Object::copy) {
    object_ = attached.login().copy_or_same(object_);
  }
}

ByteView BareSigner::sign_once(CK_SESSION_HANDLE session, Bytes& buffer) const {
  const hsm::Module& module = sessions_.attached().module();
  CK_MECHANISM mechanism{mechanism_, nullptr, 0};
  hsm::check(module->C_SignInit(session, &mechanism, object_), "C_SignInit");
  CK_ULONG size = buffer.size();
  hsm::check(module->C_Sign(session, const_cast<CK_BYTE*>(input_.data()), input_.size(),
                            buffer.data(), &size),
             "C_Sign");
  return ByteView(buffer).first(size);
}

Way BareSigner::sign(std::size_t threads, Verified verified) const {
  return {.threads = threads, .begin = [this, verified](std::size_t thread) -> Way::Operation {
            return [this, verified, session = sessions_.of(thread),
                    buffer = Bytes(kLongestSignature)]() mutable {
              const ByteView signature = sign_once(session, buffer);
              if (verified == Verified::yes) {
                check_signature(public_half_, encoded(public_half_, signature));
              }
            };
          }};
}

}  // namespace estia::bench
