// SPDX-License-Identifier: Apache-2.0
#include "server/ca/decrypt_keys.h"

#include "crypto/base/error.h"
#include "server/ca/end_entity.h"

namespace estia::ca {

std::string_view to_string(DecryptKeyKind kind) noexcept {
  switch (kind) {
    case DecryptKeyKind::secret:
      return "secret";
    case DecryptKeyKind::certificate:
      return "certificate";
    case DecryptKeyKind::password:
      return "password";
  }
  return "";
}

std::optional<DecryptKeyKind> decrypt_key_kind(std::string_view name) noexcept {
  using enum DecryptKeyKind;
  for (const DecryptKeyKind kind : {secret, certificate, password}) {
    if (to_string(kind) == name) {
      return kind;
    }
  }
  return std::nullopt;
}

std::string_view to_string(DecryptKeyOwner::Kind kind) noexcept {
  return kind == DecryptKeyOwner::Kind::alias ? "alias" : "end_entity";
}

std::string text_of(const DecryptKeyOwner& owner) {
  return std::string(to_string(owner.kind)) + " " + owner.name;
}

std::string text_of(const DecryptKeyName& name) {
  const std::string identifier =
      name.identifier.empty() ? std::string() : " " + to_hex(name.identifier);
  return text_of(name.owner) + ": " + std::string(to_string(name.kind)) + identifier;
}

crypto::Certificate registered_certificate(const DecryptKey& key) {
  try {
    return crypto::Certificate::parse(key.value);
  } catch (const Error& error) {
    throw Error(ErrorCode::store, "store.corrupt", "the store is not available, try again later",
                "the decrypt key of " + text_of(key.name) + ": " + error.what());
  }
}

/// Only the last part may hold a NUL.
Bytes bound_to(const DecryptKeyName& name) {
  const bool alias = name.owner.kind == DecryptKeyOwner::Kind::alias;
  Bytes bound;
  const auto part = [&](std::string_view text) {
    bound.insert(bound.end(), text.begin(), text.end());
    bound.push_back(0);
  };
  part("estia decrypt key");
  part(to_string(name.owner.kind));
  part(alias ? name.owner.name : username_key(name.owner.name));
  part(to_string(name.kind));
  bound.insert(bound.end(), name.identifier.begin(), name.identifier.end());
  return bound;
}

std::optional<DecryptKey> find_decrypt_key(const DecryptKeyStore& keys, const std::string& username,
                                           const std::string& alias, DecryptKeyKind kind,
                                           const Bytes& identifier) {
  auto own = keys.find({{DecryptKeyOwner::Kind::end_entity, username}, kind, identifier});
  return own ? own : keys.find({{DecryptKeyOwner::Kind::alias, alias}, kind, identifier});
}

}  // namespace estia::ca
