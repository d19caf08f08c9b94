// SPDX-License-Identifier: Apache-2.0
#include "hsm/key_store.h"

#include <exception>
#include <utility>

#include "crypto/base/error.h"
#include "hsm/ckr.h"

namespace estia::hsm {
namespace {

std::vector<CK_OBJECT_HANDLE> find_keys(const Objects& objects, CK_OBJECT_CLASS kind,
                                        const std::string& label, const Bytes& id) {
  Template wanted;
  wanted.number(CKA_CLASS, kind).flag(CKA_TOKEN, true);
  if (!label.empty()) {
    wanted.text(CKA_LABEL, label);
  }
  if (!id.empty()) {
    wanted.bytes(CKA_ID, id);
  }
  return objects.find_few(wanted);
}

CK_OBJECT_HANDLE only_one(const std::vector<CK_OBJECT_HANDLE>& found, const char* none_id,
                          const KeyUri& uri) {
  if (found.empty()) {
    throw Error(ErrorCode::not_found, none_id, "the token has no such key: " + uri.text());
  }
  if (found.size() > 1) {
    throw Error(ErrorCode::conflict, "token.key_ambiguous",
                "the token has more than one such key: " + uri.text());
  }
  return found.front();
}

bool is_meant(const std::string& named, const std::string& actual) {
  return named.empty() || named == actual;
}

}  // namespace

void check_is_token(const KeyUri& uri, const TokenInfo& token) {
  if (!is_meant(uri.token(), token.label) || !is_meant(uri.serial(), token.serial) ||
      !is_meant(uri.manufacturer(), token.manufacturer) || !is_meant(uri.model(), token.model)) {
    throw Error(ErrorCode::config, "token.uri_other_token",
                "the key is in another token than '" + token.label + "': " + uri.text());
  }
}

KeyPair find_pair(const Objects& objects, const KeyUri& uri) {
  KeyPair pair;
  pair.private_object = only_one(find_keys(objects, CKO_PRIVATE_KEY, uri.object(), uri.id()),
                                 "token.key_not_found", uri);
  pair.id = objects.bytes(pair.private_object, CKA_ID).value_or(Bytes{});
  const Bytes label = objects.bytes(pair.private_object, CKA_LABEL).value_or(Bytes{});
  pair.label = as_text(label);
  // Without an id the label is all that ties the two objects together.
  const std::string public_label = pair.id.empty() ? pair.label : std::string();
  pair.public_object = only_one(find_keys(objects, CKO_PUBLIC_KEY, public_label, pair.id),
                                "token.public_key_missing", uri);
  return pair;
}

bool label_in_use(const Objects& objects, const std::string& label) {
  return !find_keys(objects, CKO_PRIVATE_KEY, label, {}).empty() ||
         !find_keys(objects, CKO_PUBLIC_KEY, label, {}).empty();
}

KeyAttributes read_attributes(const Objects& objects, const KeyPair& pair) {
  // What a token does not tell counts as the worse answer.
  const auto is = [&](CK_ATTRIBUTE_TYPE type, bool unknown) {
    return objects.flag(pair.private_object, type).value_or(unknown);
  };
  const crypto::PublicKey public_key = objects.public_key(pair.public_object);
  if (!public_key.spec()) {
    throw Error(ErrorCode::config, "token.key_unsupported",
                "the token's key is of a kind or size that is not supported");
  }
  return {.token = is(CKA_TOKEN, false),
          .sensitive = is(CKA_SENSITIVE, false),
          .extractable = is(CKA_EXTRACTABLE, true),
          .always_sensitive = is(CKA_ALWAYS_SENSITIVE, false),
          .never_extractable = is(CKA_NEVER_EXTRACTABLE, false),
          .local = is(CKA_LOCAL, false),
          .sign = is(CKA_SIGN, false),
          .sign_recover = is(CKA_SIGN_RECOVER, false),  // optional, and absent for EC
          .decrypt = is(CKA_DECRYPT, true),
          .unwrap = is(CKA_UNWRAP, true),
          .derive = is(CKA_DERIVE, true),
          .always_authenticate = is(CKA_ALWAYS_AUTHENTICATE, false),  // optional
          .spec = *public_key.spec()};
}

void check_may_be_used(const KeyAttributes& attributes, const KeyUri& uri) {
  if (attributes.extractable || !attributes.sensitive) {
    throw token_unavailable("token.key_extractable",
                            "a key that can leave the token is not used: " + uri.text());
  }
  // Without the login its C_Sign fails as if the token's login were lost, and each failure would
  // cost the token's other keys that login.
  if (attributes.always_authenticate) {
    throw token_unavailable(
        "token.key_always_authenticate",
        "a key that wants a login for each signature is not used: " + uri.text());
  }
}

void destroy_pair(const Objects& objects, const KeyPair& pair) {
  std::exception_ptr failure;
  for (const CK_OBJECT_HANDLE object : {pair.private_object, pair.public_object}) {
    try {
      objects.destroy(object);
    } catch (const Error&) {
      failure = std::current_exception();
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace estia::hsm
