// SPDX-License-Identifier: Apache-2.0
// Signature operations of the signing provider: C entry points around SignatureContext.
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "hsm/provider_parts.h"
#include "hsm/signature_context.h"

namespace estia::hsm::provider {
namespace {

SignatureContext& of(void* context) noexcept {
  return *static_cast<SignatureContext*>(context);
}

std::shared_ptr<const SigningKey> key_of(void* data) {
  return data == nullptr ? nullptr : static_cast<const KeyData*>(data)->key;
}

void* make(void* /*provider*/, const char* /*properties*/) {
  return guarded([]() -> void* { return new SignatureContext; });
}

void release(void* context) {
  delete static_cast<SignatureContext*>(context);
}

void* duplicate(void* context) {
  return guarded([&]() -> void* { return new SignatureContext(of(context)); });
}

int begin(void* context, void* key, const OSSL_PARAM parameters[]) {
  return guarded([&] {
    of(context).begin(key_of(key), parameters);
    return 1;
  });
}

int begin_message(void* context, const char* digest, void* key, const OSSL_PARAM parameters[]) {
  return guarded([&] {
    of(context).begin_message(key_of(key), digest, parameters);
    return 1;
  });
}

int update(void* context, const unsigned char* data, std::size_t size) {
  return guarded([&] {
    of(context).update({data, size});
    return 1;
  });
}

/// The two-step convention: without a buffer only the longest size is told.
template <class Sign>
int answer(void* context, unsigned char* out, std::size_t* size, std::size_t room, Sign&& sign) {
  return guarded([&] {
    if (out == nullptr) {
      *size = of(context).longest();
      return 1;
    }
    const Bytes signature = sign(of(context));
    if (signature.size() > room) {
      return 0;
    }
    std::ranges::copy(signature, out);
    *size = signature.size();
    return 1;
  });
}

int finish(void* context, unsigned char* out, std::size_t* size, std::size_t room) {
  return answer(context, out, size, room, [](SignatureContext& c) { return c.finish(); });
}

int sign_message(void* context, unsigned char* out, std::size_t* size, std::size_t room,
                 const unsigned char* data, std::size_t data_size) {
  return answer(context, out, size, room, [&](SignatureContext& c) {
    return c.sign_message({data, data_size});
  });
}

int sign_hash(void* context, unsigned char* out, std::size_t* size, std::size_t room,
              const unsigned char* hash, std::size_t hash_size) {
  return answer(context, out, size, room, [&](SignatureContext& c) {
    return c.sign_hash({hash, hash_size});
  });
}

int get(void* context, OSSL_PARAM parameters[]) {
  return guarded([&] { return of(context).get(parameters) ? 1 : 0; });
}

int set(void* context, const OSSL_PARAM parameters[]) {
  return guarded([&] {
    of(context).set(parameters);
    return 1;
  });
}

template <KeyKind Kind>
const OSSL_PARAM* gettable(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM rsa[] = {
      OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0),
      OSSL_PARAM_END};
  static const OSSL_PARAM ec[] = {
      OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0), OSSL_PARAM_END};
  static const OSSL_PARAM ed25519[] = {
      OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0), OSSL_PARAM_END};
  return Kind == KeyKind::rsa ? rsa : Kind == KeyKind::ec ? ec : ed25519;
}

template <KeyKind Kind>
const OSSL_PARAM* settable(void* /*context*/, void* /*provider*/) {
  static const OSSL_PARAM rsa[] = {
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, nullptr, 0), OSSL_PARAM_END};
  static const OSSL_PARAM ec[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                  OSSL_PARAM_END};
  static const OSSL_PARAM none[] = {OSSL_PARAM_END};
  return Kind == KeyKind::rsa ? rsa : Kind == KeyKind::ec ? ec : none;
}

template <KeyKind Kind>
const OSSL_DISPATCH* functions() {
  static const auto table = std::to_array<OSSL_DISPATCH>({
      entry(OSSL_FUNC_SIGNATURE_NEWCTX, make),
      entry(OSSL_FUNC_SIGNATURE_FREECTX, release),
      entry(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
      entry(OSSL_FUNC_SIGNATURE_SIGN_INIT, begin),
      entry(OSSL_FUNC_SIGNATURE_SIGN, sign_hash),
      entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, begin_message),
      entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
      entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finish),
      entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_message),
      entry(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get),
      entry(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable<Kind>),
      entry(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set),
      entry(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable<Kind>),
      {0, nullptr},
  });
  return table.data();
}

}  // namespace

const OSSL_ALGORITHM* signatures() {
  static const auto table = std::to_array<OSSL_ALGORITHM>({
      {"ECDSA", kProperties, functions<KeyKind::ec>(), "ECDSA in a token"},
      {kRsaNames, kProperties, functions<KeyKind::rsa>(), "RSA signatures in a token"},
      {kEd25519Names, kProperties, functions<KeyKind::ed25519>(), "Ed25519 in a token"},
      {nullptr, nullptr, nullptr, nullptr},
  });
  return table.data();
}

}  // namespace estia::hsm::provider
