// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include "hsm/key_uri.h"
#include "hsm/objects.h"
#include "hsm/slots.h"
#include "hsm/token.h"

namespace estia::hsm {

/// The two objects of a key pair, found by name.
struct KeyPair {
  CK_OBJECT_HANDLE private_object = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE public_object = CK_INVALID_HANDLE;
  std::string label;
  Bytes id;
};

/// Throws Error{config, "token.uri_other_token"} unless the token is the one the URI names.
void check_is_token(const KeyUri& uri, const TokenInfo& token);

/// The key pair that the URI names; its public key object is the one with the same CKA_ID. Throws
/// Error{not_found, "token.key_not_found"} for none, Error{conflict, "token.key_ambiguous"} for two
/// of either kind, Error{not_found, "token.public_key_missing"}.
[[nodiscard]] KeyPair find_pair(const Objects& objects, const KeyUri& uri);

/// True if a key of either class has that label.
[[nodiscard]] bool label_in_use(const Objects& objects, const std::string& label);

/// Makes a key pair as Token::generate promises and checks what came out; nothing of it stays if
/// the check fails. `session` may write. Throws Error{token, "token.key_attributes"}.
[[nodiscard]] KeyPair generate_pair(const Module& module, CK_SESSION_HANDLE session,
                                    const crypto::KeySpec& spec, const std::string& label);

[[nodiscard]] KeyAttributes read_attributes(const Objects& objects, const KeyPair& pair);

/// Throws Error{token, "token.key_extractable"} or Error{token, "token.key_always_authenticate"}
/// for a key that is not used, whoever made it.
void check_may_be_used(const KeyAttributes& attributes, const KeyUri& uri);

/// Destroys both objects; goes on after a failure and reports it at the end.
void destroy_pair(const Objects& objects, const KeyPair& pair);

}  // namespace estia::hsm
