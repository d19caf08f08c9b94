// SPDX-License-Identifier: Apache-2.0
#include "hsm/wrapping_key.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "crypto/keys/private_key.h"
#include "crypto/openssl/key_number.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "hsm/ckr.h"
#include "hsm/objects.h"
#include "hsm/token_core.h"

namespace estia::hsm {
namespace {

using crypto::require;

constexpr std::size_t kKeySize = 32;
constexpr const char* kTransportKind = "RSA-3072";
constexpr std::size_t kTransportSize = 3072 / 8;

/// It wraps, and does nothing else.
Template key_template() {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
  wanted.flag(CKA_TOKEN, false).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
  wanted.flag(CKA_WRAP, true).flag(CKA_UNWRAP, false);
  wanted.flag(CKA_ENCRYPT, false).flag(CKA_DECRYPT, false);
  wanted.flag(CKA_SIGN, false).flag(CKA_VERIFY, false).flag(CKA_DERIVE, false);
  return wanted;
}

Bytes number_of(const crypto::PrivateKey& key, const char* name) {
  const crypto::BignumPtr number = crypto::key_number(key.evp(), name);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  static_cast<void>(::BN_bn2bin(number.get(), bytes.data()));
  return bytes;
}

Template transport_template(const crypto::PrivateKey& key) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_PUBLIC_KEY).number(CKA_KEY_TYPE, CKK_RSA);
  wanted.flag(CKA_TOKEN, false).flag(CKA_PRIVATE, false).flag(CKA_WRAP, true);
  wanted.flag(CKA_ENCRYPT, false).flag(CKA_VERIFY, false).flag(CKA_VERIFY_RECOVER, false);
  wanted.bytes(CKA_MODULUS, number_of(key, OSSL_PKEY_PARAM_RSA_N));
  wanted.bytes(CKA_PUBLIC_EXPONENT, number_of(key, OSSL_PKEY_PARAM_RSA_E));
  return wanted;
}

/// One object that is destroyed again. A failure is the next user's to find.
class Temporary final {
 public:
  Temporary(const Module& module, CK_SESSION_HANDLE session, Template wanted)
      : module_(module), session_(session) {
    check(module_->C_CreateObject(session_, wanted.data(), wanted.size(), &object_),
          "C_CreateObject");
  }
  ~Temporary() { static_cast<void>(module_->C_DestroyObject(session_, object_)); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  Temporary(Temporary&&) = delete;
  Temporary& operator=(Temporary&&) = delete;
  [[nodiscard]] CK_OBJECT_HANDLE object() const noexcept { return object_; }

 private:
  const Module& module_;
  CK_SESSION_HANDLE session_;
  CK_OBJECT_HANDLE object_ = CK_INVALID_HANDLE;
};

/// RSA-OAEP with SHA-1: the one form that SoftHSM, NSS and opencryptoki share. Nothing in OAEP
/// rests on the collisions that SHA-1 has.
SecureBytes open_transport(const crypto::PrivateKey& key, ByteView wrapped) {
  const crypto::EvpPkeyCtxPtr context(
      require(::EVP_PKEY_CTX_new_from_pkey(crypto::library(), key.evp(), nullptr),
              "EVP_PKEY_CTX_new_from_pkey"));
  require(::EVP_PKEY_decrypt_init(context.get()), "EVP_PKEY_decrypt_init");
  require(::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING),
          "EVP_PKEY_CTX_set_rsa_padding");
  require(::EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), "SHA1", nullptr),
          "EVP_PKEY_CTX_set_rsa_oaep_md_name");
  SecureBytes plain(kTransportSize);
  std::size_t size = plain.size();
  if (::EVP_PKEY_decrypt(context.get(), plain.data(), &size, wrapped.data(), wrapped.size()) != 1 ||
      size != kKeySize) {
    throw Error(ErrorCode::token, "token.wrap_failed",
                "the token is not available, try again later",
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

WrappingKey::WrappingKey(std::shared_ptr<TokenCore> core)
    : core_(std::move(core)), epoch_(core_->epoch()) {
  const ErrorQueueGuard queue;
  // Of this moment only: who records what the token sends can make nothing of it later.
  const auto transport =
      crypto::PrivateKey::generate_software(crypto::KeySpec::parse(kTransportKind));
  core_->login().lend([&](CK_SESSION_HANDLE session) {
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
  if (epoch_ == core_->epoch()) {
    const ErrorQueueGuard queue;
    core_->login().destroy(object_);
  }
}

CK_OBJECT_HANDLE WrappingKey::object() const {
  if (epoch_ != core_->epoch()) {
    throw Error(ErrorCode::token, "token.handle_stale",
                "the token is not available, try again later", "wrapping key of an earlier epoch");
  }
  return object_;
}

void WrappingKey::make_in_token(CK_SESSION_HANDLE session, const crypto::PrivateKey& transport) {
  const Module& module = core_->module();
  const Temporary public_half(module, session, transport_template(transport));
  Template wanted = key_template();
  wanted.number(CKA_VALUE_LEN, kKeySize).flag(CKA_EXTRACTABLE, true);
  CK_MECHANISM generation{CKM_AES_KEY_GEN, nullptr, 0};
  check(module->C_GenerateKey(session, &generation, wanted.data(), wanted.size(), &object_),
        "C_GenerateKey");
  CK_RSA_PKCS_OAEP_PARAMS oaep{CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, nullptr, 0};
  CK_MECHANISM wrapping{CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
  std::array<std::uint8_t, kTransportSize> wrapped{};
  CK_ULONG size = wrapped.size();
  try {
    check(
        module->C_WrapKey(session, &wrapping, public_half.object(), object_, wrapped.data(), &size),
        "C_WrapKey");
    value_ = open_transport(transport, wrapped);
  } catch (...) {
    static_cast<void>(module->C_DestroyObject(session, std::exchange(object_, CK_INVALID_HANDLE)));
    throw;
  }
}

void WrappingKey::import(CK_SESSION_HANDLE session) {
  SecureBytes value(kKeySize);
  random_fill(value.span());
  Template wanted = key_template();
  wanted.flag(CKA_EXTRACTABLE, false);
  std::vector<CK_ATTRIBUTE> with_value(wanted.data(), wanted.data() + wanted.size());
  with_value.push_back({CKA_VALUE, value.data(), value.size()});  // not copied: see Template
  check(core_->module()->C_CreateObject(session, with_value.data(), with_value.size(), &object_),
        "C_CreateObject");
  value_ = std::move(value);
}

}  // namespace estia::hsm
