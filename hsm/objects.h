// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/public_key.h"
#include "hsm/module.h"

namespace estia::hsm {

/// A list of CK_ATTRIBUTE that owns its values. Not for secrets.
class Template final {
 public:
  Template() = default;
  Template(const Template&) = delete;  // the list points into the values
  Template& operator=(const Template&) = delete;
  Template(Template&&) = default;
  Template& operator=(Template&&) = default;
  ~Template() = default;

  Template& bytes(CK_ATTRIBUTE_TYPE type, ByteView value);
  Template& text(CK_ATTRIBUTE_TYPE type, std::string_view value);
  Template& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& flag(CK_ATTRIBUTE_TYPE type, bool value);

  [[nodiscard]] CK_ATTRIBUTE* data() noexcept { return list_.data(); }
  [[nodiscard]] CK_ULONG size() const noexcept { return list_.size(); }

 private:
  std::deque<Bytes> values_;  // a deque moves nothing when it grows
  std::vector<CK_ATTRIBUTE> list_;
};

/// One session, one thread: reading objects. Throws Error{token} unless said otherwise.
class Objects final {
 public:
  Objects(const Module& module, CK_SESSION_HANDLE session) : module_(module), session_(session) {}

  /// At most `limit` handles of objects that match.
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find(Template& wanted, std::size_t limit) const;

  /// The first two that match; those of the token. While another thread copies one to a session
  /// object, SoftHSM counts the copy among them for a moment: several are looked for again.
  [[nodiscard]] std::vector<CK_OBJECT_HANDLE> find_few(Template& wanted) const;

  /// nullopt if the object has no such attribute, or does not tell.
  [[nodiscard]] std::optional<Bytes> bytes(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] std::optional<CK_ULONG> number(CK_OBJECT_HANDLE object,
                                               CK_ATTRIBUTE_TYPE type) const;
  [[nodiscard]] std::optional<bool> flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  /// The key of a public key object: EC with a named curve, RSA, Ed25519. Throws Error{token,
  /// "token.public_key_invalid"} for one that OpenSSL would not take.
  [[nodiscard]] crypto::PublicKey public_key(CK_OBJECT_HANDLE object) const;

  void destroy(CK_OBJECT_HANDLE object) const;

 private:
  [[nodiscard]] Bytes spki(CK_OBJECT_HANDLE object) const;
  [[nodiscard]] Bytes demand(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  const Module& module_;
  CK_SESSION_HANDLE session_;
};

}  // namespace estia::hsm
