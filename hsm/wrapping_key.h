// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/secure_bytes.h"
#include "crypto/keys/private_key.h"

namespace estia::hsm {

class Attachment;

/// Where an AES-256 key that both sides know came from.
enum class WrappingKeyOrigin {
  token,    ///< made there, and told to us under an RSA key of ours that nobody else ever had
  process,  ///< made here: for tokens that do not do the other
};

/// The AES-256 key under which private keys leave the token. A session object of the login session,
/// gone with it; its value is in the secure heap. Never stored. Immutable; any thread.
class WrappingKey final {
 public:
  /// An RSA key of this process. Takes tenths of a second, seconds on a loaded machine: not to be
  /// made under a Module::Use, for whose end a restart of the module waits.
  [[nodiscard]] static crypto::PrivateKey make_transport();

  /// `transport` is of this moment only, and made by make_transport(): who records what the token
  /// sends can make nothing of it later. Throws Error{token} when the token takes neither way, or
  /// is gone.
  WrappingKey(std::shared_ptr<Attachment> attached, const crypto::PrivateKey& transport);
  ~WrappingKey();
  WrappingKey(const WrappingKey&) = delete;
  WrappingKey& operator=(const WrappingKey&) = delete;
  WrappingKey(WrappingKey&&) = delete;
  WrappingKey& operator=(WrappingKey&&) = delete;

  [[nodiscard]] WrappingKeyOrigin origin() const noexcept { return origin_; }
  [[nodiscard]] ByteView value() const noexcept { return value_.view(); }
  /// Of kOaepDigests, those by which the token gave it out. Empty unless it was made there.
  [[nodiscard]] const std::vector<std::string>& oaep_digests() const noexcept {
    return oaep_digests_;
  }
  /// What else was tried, and the token's answers; for people.
  [[nodiscard]] const std::string& refused() const noexcept { return refused_; }
  /// Throws Error{token, "token.handle_stale"} once the attachment is over.
  [[nodiscard]] CK_OBJECT_HANDLE object() const;

 private:
  void make_in_token(CK_SESSION_HANDLE session, const crypto::PrivateKey& transport);
  void import(CK_SESSION_HANDLE session);

  const std::shared_ptr<Attachment> attached_;
  CK_OBJECT_HANDLE object_ = CK_INVALID_HANDLE;
  SecureBytes value_;
  WrappingKeyOrigin origin_ = WrappingKeyOrigin::token;
  std::vector<std::string> oaep_digests_;
  std::string refused_;
};

}  // namespace estia::hsm
